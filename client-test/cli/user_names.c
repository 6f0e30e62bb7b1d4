#include "client-test/cli/user_names.h"
#include "client-test/cli/terminal.h"
#include "client-test/client/loop_timer.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

enum { RETRY_MS = 1000, LONGEST = 2048, PRINTED_LINE_MAX = 256 * 1024 };

/* A mark is the user's id between these. */
#define MARK_BEGINS '\x01'
#define MARK_ENDS   '\x02'

struct person {
	uint64_t id;
	char *name;
	UT_hash_handle hh;
};

struct waiting {
	char *line;
	struct waiting *prev, *next;
};

struct user_names {
	struct rest *rest;
	struct person *persons;
	struct waiting *waiting;
	struct loop_timer *retry;
	char *token;
	uint64_t asked; /* the id of the lookup under way; 0: none */
	user_names_line *line;
	user_names_found *found;
	void *found_context;
	void *context;
};

static void drain(struct user_names *names);

static void try_again(void *context)
{
	struct user_names *names = context;

	names->asked = 0;
	drain(names);
}

struct user_names *user_names_create(struct uv_loop_s *loop, struct rest *rest,
                                     user_names_line *line, void *context)
{
	struct user_names *names = mem_new(sizeof(*names));

	names->rest = rest;
	names->line = line;
	names->context = context;
	names->token = mem_text("", 0);
	names->retry = loop_timer_create(loop, try_again, names);
	return names;
}

static void drop_first(struct user_names *names)
{
	struct waiting *first = names->waiting;

	DL_DELETE(names->waiting, first);
	mem_free(&first->line);
	mem_free(&first);
}

void user_names_destroy(struct user_names **names)
{
	struct person *person, *next;

	if (!*names)
		return;
	while ((*names)->waiting)
		drop_first(*names);
	HASH_ITER (hh, (*names)->persons, person, next) {
		HASH_DEL((*names)->persons, person);
		mem_free(&person->name);
		mem_free(&person);
	}
	loop_timer_destroy(&(*names)->retry);
	mem_free(&(*names)->token);
	mem_free(names);
}

static void remember(struct user_names *names, uint64_t id, struct span name)
{
	struct person *person = mem_new(sizeof(*person));

	person->id = id;
	person->name = mem_text(name.data, name.len);
	HASH_ADD(hh, names->persons, id, sizeof(id), person);
}

static void named(void *context, const struct rest_answer *answer)
{
	struct user_names *names = context;
	uint64_t id = names->asked;
	char number[32];
	struct span name;

	(void)snprintf(number, sizeof(number), "#%llu", (unsigned long long)id);
	if (answer->status == ST_OK &&
	    json_get_text(answer->json, "name", &name)) {
		remember(names, id, name);
	} else if (answer->status == ST_NOT_FOUND) {
		remember(names, id, span_of(number));
	} else {
		loop_timer_start(names->retry, RETRY_MS);
		return;
	}
	names->asked = 0;
	drain(names);
}

static void look_up(struct user_names *names, uint64_t id)
{
	char path[64];

	if (names->asked)
		return;
	names->asked = id;
	(void)snprintf(path, sizeof(path), "/auth/users/%llu",
	               (unsigned long long)id);
	rest_get(names->rest, span_of(names->token), path, named, names);
}

bool user_names_cut_mark(struct span *line, struct span *ret_before,
                         uint64_t *ret_user)
{
	struct span rest, id;

	*ret_before = span_cut(*line, MARK_BEGINS, &rest);
	id = span_cut(rest, MARK_ENDS, line);
	return span_to_u64(id, UINT64_MAX, ret_user);
}

/* False if a name is not known yet: its lookup starts. */
static bool write_names(struct user_names *names, struct span line,
                        struct buf *out)
{
	struct span before;
	uint64_t id;

	while (user_names_cut_mark(&line, &before, &id)) {
		struct person *person;

		HASH_FIND(hh, names->persons, &id, sizeof(id), person);
		if (!person) {
			look_up(names, id);
			return false;
		}
		buf_append(out, before);
		terminal_text(out, span_of(person->name), 0);
	}
	buf_append(out, before);
	return true;
}

static void drain(struct user_names *names)
{
	while (names->waiting) {
		struct buf line CLEANUP(buf_free) = BUF(PRINTED_LINE_MAX);

		if (!write_names(names, span_of(names->waiting->line), &line))
			return;
		drop_first(names);
		names->line(names->context, buf_span(&line));
	}
}

void user_names_mark(struct buf *line, uint64_t user)
{
	buf_byte(line, MARK_BEGINS);
	buf_number(line, user);
	buf_byte(line, MARK_ENDS);
}

void user_names_set_token(struct user_names *names, struct span token)
{
	mem_free(&names->token);
	names->token = mem_text(token.data, token.len);
}

void user_names_print(struct user_names *names, struct span token,
                      struct span line)
{
	struct waiting *waiting = mem_new(sizeof(*waiting));

	user_names_set_token(names, token);
	waiting->line = mem_text(line.data, line.len);
	DL_APPEND(names->waiting, waiting);
	drain(names);
}

static void found(void *context, const struct rest_answer *answer)
{
	struct user_names *names = context;
	enum status status = answer->status;
	uint64_t user = 0;

	if (status == ST_OK && !json_get_id(answer->json, "id", &user))
		status = ST_UNAVAILABLE;
	names->found(names->found_context, status, user, answer->why);
}

void user_names_find(struct user_names *names, struct span token,
                     const char *name, user_names_found *done, void *context)
{
	struct buf path CLEANUP(buf_free) = BUF(LONGEST);

	names->found = done;
	names->found_context = context;
	buf_append(&path, SPAN("/auth/users?name="));
	rest_escape(&path, span_of(name));
	rest_get(names->rest, token, buf_text(&path), found, names);
}
