#include "common/service/service.h"
#include "common/base/clock.h"
#include "common/service/admin.h"
#include "common/service/log.h"
#include "common/service/log_output.h"
#include "common/service/readiness.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_CLEAN = 0, EXIT_SETTINGS = 100, EXIT_ENVIRONMENT = 111 };
enum {
	HELP_MAX = 64 * 1024,
	EXIT_FLUSH_MS = 2000,
	/* Below, the libraries cannot start: some of them abort then. */
	DESCRIPTORS_MIN = 128,
};

static atomic_bool stopping;
static int wake_fd = -1;

int service_wake_fd(void)
{
	return wake_fd;
}

static void on_stop_signal(int number)
{
	uint64_t one = 1;
	int saved = errno;

	(void)number;
	atomic_store(&stopping, true);
	if (write(wake_fd, &one, sizeof(one)) < 0)
		atomic_store(&stopping,
		             true); /* full: it is readable already */
	errno = saved;
}

static void start_signals(void)
{
	struct sigaction stop = {.sa_handler = on_stop_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGHUP, &stop, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

/*
 * Containers start with a soft limit of 1024 files: too few for sockets. False
 * when the hard limit is too low for any work.
 */
static bool raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return true;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= DESCRIPTORS_MIN)
		return true;
	log_event(LOG_ERROR, "service.few_descriptors",
	          F_NUMBER("limit", limit.rlim_max),
	          F_NUMBER("needed", DESCRIPTORS_MIN));
	return false;
}

/*
 * A core file contains passwords, keys and messages. A limit of one byte
 * prevents a file, as 0 does. It also is the only limit that stops the program
 * that core_pattern names; the kernel ignores all others there (fs/coredump.c).
 */
static void forbid_core_files(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1});
}

static void print_help(const struct service *service)
{
	struct buf text CLEANUP(buf_free) = BUF(HELP_MAX);

	buf_format(
		&text,
		"%s %s - %s\n\n"
		"Usage: %s [option]\n\n"
		"Without an option the service runs until SIGTERM.\n\n"
		"  --help         this page\n"
		"  --version      the version\n"
		"  --check        checks the settings and reports every fault\n"
		"  --healthcheck  asks the running service whether it is "
		"ready: exit 0 or 1\n",
		service->name, PARLEY_VERSION, service->purpose, service->name);
	for (const struct service_option *o = service->options; o && o->name;
	     o++)
		buf_format(&text, "  %-13s  %s\n", o->name, o->meaning);
	buf_format(&text, "\nSettings, from the environment:\n");
	settings_help(service->table, &text);
	(void)fwrite(text.data, 1, text.len, stdout);
}

static enum status load_settings(const struct service *service)
{
	struct buf faults CLEANUP(buf_free) = BUF(HELP_MAX);
	enum log_level level;

	/* `faults` has a line for each fault. */
	(void)!settings_load(service->table, service->settings, &faults);
	if (!log_level_parse(*service->log_level, &level))
		buf_format(&faults,
		           "LOG_LEVEL is '%s', must be debug, info, warn or "
		           "error\n",
		           *service->log_level);
	if (service->check)
		service->check(service->settings, &faults);
	if (faults.len == 0)
		return ST_OK;
	(void)fprintf(stderr, "%s: settings are wrong:\n%s", service->name,
	              buf_text(&faults));
	return ST_INVALID;
}

static const struct service_option *option_named(const struct service *service,
                                                 const char *name)
{
	for (const struct service_option *o = service->options; o && o->name;
	     o++) {
		if (!strcmp(o->name, name))
			return o;
	}
	return NULL;
}

/* Steps until a stop is requested, then drains. */
static enum status step_until_stopped(const struct service *service,
                                      void *state)
{
	enum status st = ST_OK;
	uint64_t deadline_ms;

	while (st == ST_OK && !atomic_load(&stopping)) {
		st = service->step(state);
		log_output_flush(0);
	}
	if (st != ST_OK)
		return st;
	readiness_set_serving(false);
	log_event(LOG_INFO, "service.draining");
	deadline_ms = clock_mono_ms() + (uint64_t)SERVICE_DRAIN_S * 1000;
	service->drain(state);
	while (st == ST_OK && !service->drained(state)) {
		if (clock_mono_ms() > deadline_ms) {
			log_event(LOG_WARN, "service.drain_cut");
			break;
		}
		st = service->step(state);
	}
	return st;
}

static int run(const struct service *service)
{
	struct admin *admin CLEANUP(admin_stop) = NULL;
	enum log_level level = LOG_INFO;
	void *state = NULL;
	enum status st;

	(void)log_level_parse(*service->log_level, &level);
	log_start(service->name, level);
	start_signals();
	if (!raise_file_limit())
		return EXIT_ENVIRONMENT;
	st = admin_start(*service->bind_address, (uint16_t)*service->admin_port,
	                 &admin);
	if (st != ST_OK) {
		log_event(LOG_ERROR, "service.port_taken",
		          F_NUMBER("port", *service->admin_port),
		          F_TEXT("why", strerror(errno)));
		return EXIT_ENVIRONMENT;
	}
	log_event(LOG_INFO, "service.starting",
	          F_TEXT("version", PARLEY_VERSION),
	          F_NUMBER("admin_port", *service->admin_port));
	st = service->start(service->settings, &state);
	if (st == ST_OK) {
		readiness_set_serving(true);
		st = step_until_stopped(service, state);
	}
	if (state)
		service->stop(&state);
	log_event(st == ST_OK ? LOG_INFO : LOG_ERROR, "service.stopped",
	          F_TEXT("status", status_text(st)));
	return st == ST_OK ? EXIT_CLEAN : EXIT_ENVIRONMENT;
}

static int usage_fault(const struct service *service, const char *argument)
{
	(void)fprintf(stderr, "%s: unknown option '%s'; see --help\n",
	              service->name, argument);
	return EXIT_SETTINGS;
}

static int run_command(int argc, char **argv, const struct service *service)
{
	const char *argument = argc > 1 ? argv[1] : "";
	const struct service_option *option = option_named(service, argument);

	if (!strcmp(argument, "--help")) {
		print_help(service);
		return EXIT_CLEAN;
	}
	if (!strcmp(argument, "--version")) {
		(void)printf("%s %s\n", service->name, PARLEY_VERSION);
		return EXIT_CLEAN;
	}
	if (argc > 2 || (argc == 2 && !option && strcmp(argument, "--check") &&
	                 strcmp(argument, "--healthcheck")))
		return usage_fault(service, argv[argc - 1]);
	if (load_settings(service) != ST_OK)
		return EXIT_SETTINGS;
	if (!*service->core_files)
		forbid_core_files();
	if (option)
		return option->run(service->settings);
	if (!strcmp(argument, "--check")) {
		(void)printf("%s: settings are good\n", service->name);
		return EXIT_CLEAN;
	}
	if (argc == 2)
		return admin_healthcheck(*service->bind_address,
		                         (uint16_t)*service->admin_port);
	return run(service);
}

int service_main(int argc, char **argv, const struct service *service)
{
	int code = run_command(argc, argv, service);

	log_output_flush(EXIT_FLUSH_MS);
	return code;
}
