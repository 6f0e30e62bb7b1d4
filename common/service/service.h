/*
 * service - being a process: settings, log, signals, health, drain.
 *
 * service_main() owns the order: settings → log → signals → admin port →
 * start → (ready) step, step, … until SIGTERM, SIGINT or SIGHUP → drain → step
 * until drained or drain_s is over → stop. Exit 0 clean, 100 bad settings, 111
 * the environment failed.
 *
 * Options of every service: --help, --check, --version, --healthcheck (asks
 * its own /readyz, exit 0 or 1; for containers), and those it adds itself.
 *
 * The admin port serves GET /healthz (200 while the process lives), /readyz
 * (200 when all parts of service_ready() are up, else 503 naming those that
 * are not) and /metrics. It is internal: never publish it.
 *
 * Threads    start, step, drain, drained and stop run on the main thread.
 */
#ifndef PARLEY_SERVICE_SERVICE_H
#define PARLEY_SERVICE_SERVICE_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "common/service/settings.h"

#include <stdbool.h>
#include <stdint.h>

struct service_option {
	const char *name; /* "--init-topics" */
	const char *meaning;
	int (*run)(const void *settings); /* returns the exit code */
};

struct service {
	const char *name;
	const char *purpose; /* first line of --help */
	const struct settings_table *table;
	void *settings; /* the struct that the table fills */
	/* The settings every service has, inside `settings`. */
	const char *const *bind_address;
	const uint64_t *admin_port;
	const char *const *log_level;
	const uint64_t *core_files;           /* 0: a crash leaves none */
	const struct service_option *options; /* ends with a NULL name */
	/* More checks of --check and start-up than ranges; may be NULL. */
	void (*check)(const void *settings, struct buf *faults);

	/*
	 * Builds the service; must not wait for a dependency for longer than
	 * it takes to try (step does the waiting). Anything but ST_OK ends
	 * the process with 111.
	 */
	enum status (*start)(const void *settings, void **ret_state);
	/* One turn; returns within 100 ms or when service_wake_fd() is
	 * readable. */
	enum status (*step)(void *state);
	void (*drain)(void *state);
	bool (*drained)(void *state);
	void (*stop)(void **state);
};

int service_main(int argc, char **argv, const struct service *service);

bool service_stopping(void);
/* Readable from the moment a stop was asked for; for a loop to watch. */
int service_wake_fd(void);

/*
 * A part on which readiness depends ("kafka", "mysql"): down until said
 * otherwise, at most 8. Any thread. Each change is logged once
 * (dependency.up, dependency.down).
 */
void service_part(const char *name, bool up, const char *why);

enum { SERVICE_DRAIN_S = 10 };

#endif
