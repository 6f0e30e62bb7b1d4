#include "bench/load/bench_users.h"
#include "client-test/cli/command.h"
#include "client-test/client/account.h"
#include "client-test/client/alarm.h"
#include "client-test/client/stage.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
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

/* One of a few that register people in turn. */
struct registrar {
	struct making *making;
	struct account *account;
	struct alarm *retry;
	unsigned failures;
};

struct making {
	struct stage *stage;
	FILE *file;
	uint64_t run; /* in the names, so that each run has new people */
	unsigned wanted, begun, made;
	struct registrar registrars[AT_ONCE];
};

static void registered(void *context, enum status status, struct span why);

static void begin_next(struct registrar *registrar)
{
	struct making *making = registrar->making;
	char name[64];

	if (making->begun == making->wanted)
		return;
	(void)snprintf(name, sizeof(name), "bench-%016llx-%u",
	               (unsigned long long)making->run, making->begun++);
	account_destroy(&registrar->account);
	registrar->account =
		account_create(stage_rest(making->stage), name,
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
	struct making *making = registrar->making;

	if (status == ST_BUSY || status == ST_UNAVAILABLE) {
		alarm_set(registrar->retry,
		          backoff_ms(registrar->failures++, RETRY_BASE_MS,
		                     RETRY_MAX_MS));
		return;
	}
	if (status != ST_OK) {
		(void)fprintf(stderr, "registering: %s: %.*s\n",
		              status_text(status), (int)why.len,
		              why.len ? why.data : "");
		stage_end(making->stage, EXIT_FAILED);
		return;
	}
	registrar->failures = 0;
	(void)fprintf(making->file, "%llu %.*s\n",
	              (unsigned long long)account_user(registrar->account),
	              (int)account_token(registrar->account).len,
	              account_token(registrar->account).data);
	if (++making->made == making->wanted)
		stage_end(making->stage, EXIT_DONE);
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

static void register_all(struct making *making)
{
	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct registrar *registrar = &making->registrars[i];

		registrar->making = making;
		registrar->retry = alarm_create(stage_loop(making->stage),
		                                sign_in_again, registrar);
		begin_next(registrar);
	}
	stage_run(making->stage, NULL, LIMIT_MS);
	stage_end(making->stage, EXIT_FAILED);
	stage_leave(making->stage);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		account_destroy(&making->registrars[i].account);
		alarm_destroy(&making->registrars[i].retry);
	}
}

static void report(const struct making *making, uint64_t took_ms)
{
	struct buf text CLEANUP(buf_free) = BUF(1024);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("users"));
	json_number(&w, "users", making->made);
	json_double(&w, "seconds", (double)took_ms / 1000);
	json_close(&w);
	(void)puts(buf_text(&text));
}

int bench_users_make(const struct options *options)
{
	static struct making making;
	uint64_t start_ms = clock_mono_ms();
	int code;

	making.file = create_file(options->tokens);
	if (!making.file)
		return EXIT_FAILED;
	making.run = random_u64();
	making.wanted = (unsigned)options->users;
	making.stage = stage_create(options->url);
	register_all(&making);
	report(&making, clock_mono_ms() - start_ms);
	code = stage_stop(&making.stage);
	return fclose(making.file) ? EXIT_FAILED : code;
}

/* --- reading ------------------------------------------------------------- */
static bool read_user(struct span line, struct bench_user *ret_user)
{
	struct span token;

	if (line.len && line.data[line.len - 1] == '\n')
		line.len--;
	if (!span_to_u64(span_cut(line, ' ', &token), UINT64_MAX,
	                 &ret_user->id) ||
	    token.len == 0)
		return false;
	ret_user->token = mem_text(token.data, token.len);
	return true;
}

enum status bench_users_read(const char *path, unsigned least,
                             struct bench_users *ret_users)
{
	FILE *file = fopen(path, "re");
	struct bench_users users = {NULL, 0};
	size_t capacity = 0;
	char *line = NULL;
	ssize_t len;

	while (file && (len = getline(&line, &capacity, file)) > 0) {
		users.users = mem_resize(
			users.users, (users.count + 1) * sizeof(*users.users));
		if (!read_user(span_make(line, (size_t)len),
		               &users.users[users.count]))
			break;
		users.count++;
	}
	free(line);
	if (file)
		(void)fclose(file);
	if (users.count < least || !users.count) {
		(void)fprintf(stderr, "%s has %u users, %u are needed\n", path,
		              users.count, least ? least : 1);
		bench_users_free(&users);
		return ST_INVALID;
	}
	*ret_users = users;
	return ST_OK;
}

void bench_users_free(struct bench_users *users)
{
	while (users->count)
		mem_free(&users->users[--users->count].token);
	mem_free(&users->users);
}
