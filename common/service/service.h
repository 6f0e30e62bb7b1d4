/*
 * service - the life of a service process: settings, log, signals, health,
 * drain.
 *
 * service_main() owns the order: settings → log → signals → admin port →
 * start() → step() until SIGTERM, SIGINT or SIGHUP → drain() → step() until
 * drained() or until SERVICE_DRAIN_S is over → stop(). Exit codes: 0 clean, 100
 * wrong settings, 111 the environment failed.
 *
 * Each service has the options --help, --check, --version and --healthcheck
 * (asks its own /readyz, exit 0 or 1; for containers), and its own options.
 *
 * The admin port serves GET /healthz (200 while the process lives), /readyz
 * (200 when all parts of service_part() are up, else 503; the body names the
 * parts) and /metrics. It is internal: do not publish it.
 *
 * Threads    start, step, drain, drained and stop run on the main thread.
 */
#ifndef PARLEY_SERVICE_SERVICE_H
#define PARLEY_SERVICE_SERVICE_H

#include "common/base/scope.h"
#include "common/base/status.h"
#include "common/service/readiness.h"
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
	void *settings; /* the table fills this struct */
	/* Settings that every service has, inside `settings`. */
	const char *const *bind_address;
	const uint64_t *admin_port;
	const char *const *log_level;
	const uint64_t *core_files;           /* 0: no core files */
	const struct service_option *options; /* the last has a NULL name */
	/* Checks beyond ranges, at start and for --check; may be NULL. */
	void (*check)(const void *settings, struct buf *faults);

	/*
	 * Creates the service. It may try a dependency once but must not wait
	 * for it: step() waits. Any result but ST_OK ends the process with
	 * exit code 111.
	 */
	enum status (*start)(const void *settings, void **ret_state);
	/* One turn. It returns within 100 ms, or when service_wake_fd()
	 * becomes readable. */
	enum status (*step)(void *state);
	void (*drain)(void *state);
	bool (*drained)(void *state);
	void (*stop)(void **state);
};

int service_main(int argc, char **argv, const struct service *service);

/* Becomes readable when a stop is requested; a loop watches it. */
int service_wake_fd(void);

enum { SERVICE_DRAIN_S = 10 };

#endif
