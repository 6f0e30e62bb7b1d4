#include "bench/load/users.h"
#include "client-test/cli/command.h"
#include "client-test/cli/event_loop.h"
#include "client-test/client/account.h"
#include "client-test/client/loop_timer.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/random.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	AT_ONCE = 4,
	RETRY_BASE_MS = 100,
	RETRY_MAX_MS = 2000,
	LIMIT_MS = 600000
};

/* One of AT_ONCE that register users in turn. */
struct registrar {
	struct registration *registration;
	struct account *account;
	struct loop_timer *retry;
	unsigned failures;
};

struct registration {
	struct event_loop *loop;
	FILE *file;
	uint64_t run; /* random, in the names: each run has new users */
	unsigned wanted, begun, made;
	struct registrar registrars[AT_ONCE];
};

static void registered(void *context, enum status status, struct span why);

static void begin_next(struct registrar *registrar)
{
	struct registration *registration = registrar->registration;
	char name[64];

	if (registration->begun == registration->wanted)
		return;
	(void)snprintf(name, sizeof(name), "bench-%016llx-%u",
	               (unsigned long long)registration->run,
	               registration->begun++);
	account_destroy(&registrar->account);
	registrar->account =
		account_create(event_loop_rest(registration->loop), name,
	                       "correct horse battery", registered, registrar);
	account_sign_in(registrar->account);
}

static void sign_in_again(void *context)
{
	struct registrar *registrar = context;

	account_sign_in(registrar->account);
}

static void registered(void *context, enum status status, struct span why)
{
	struct registrar *registrar = context;
	struct registration *registration = registrar->registration;

	if (status == ST_BUSY || status == ST_UNAVAILABLE) {
		loop_timer_start(registrar->retry,
		                 backoff_ms(registrar->failures++,
		                            RETRY_BASE_MS, RETRY_MAX_MS));
		return;
	}
	if (status != ST_OK) {
		(void)fprintf(stderr, "registering: %s: %.*s\n",
		              status_text(status), (int)why.len,
		              why.len ? why.data : "");
		event_loop_end(registration->loop, EXIT_FAILED);
		return;
	}
	registrar->failures = 0;
	(void)fprintf(registration->file, "%llu %.*s\n",
	              (unsigned long long)account_user(registrar->account),
	              (int)account_token(registrar->account).len,
	              account_token(registrar->account).data);
	if (++registration->made == registration->wanted)
		event_loop_end(registration->loop, EXIT_DONE);
	begin_next(registrar);
}

static FILE *create_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		perror(path);
	return file;
}

static void register_all(struct registration *registration)
{
	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct registrar *registrar = &registration->registrars[i];

		registrar->registration = registration;
		registrar->retry =
			loop_timer_create(event_loop_uv(registration->loop),
		                          sign_in_again, registrar);
		begin_next(registrar);
	}
	event_loop_run(registration->loop, NULL, LIMIT_MS);
	event_loop_end(registration->loop, EXIT_FAILED);
	event_loop_cancel_calls(registration->loop);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		account_destroy(&registration->registrars[i].account);
		loop_timer_destroy(&registration->registrars[i].retry);
	}
}

static void report(const struct registration *registration, uint64_t took_ms)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("users"));
	json_number(&w, "users", registration->made);
	json_double(&w, "seconds", (double)took_ms / 1000);
	json_close(&w);
	(void)puts(buf_text(&text));
}

int users_run(const struct load_options *options)
{
	static struct registration registration;
	uint64_t start_ms = clock_mono_ms();
	int code;

	registration.file = create_file(options->tokens);
	if (!registration.file)
		return EXIT_FAILED;
	registration.run = random_u64();
	registration.wanted = (unsigned)options->users;
	registration.loop = event_loop_create(options->url);
	register_all(&registration);
	report(&registration, clock_mono_ms() - start_ms);
	code = event_loop_close(&registration.loop);
	return fclose(registration.file) ? EXIT_FAILED : code;
}
