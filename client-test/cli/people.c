#include "client-test/cli/people.h"
#include "client-test/cli/show.h"
#include "client-test/client/alarm.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

enum { RETRY_MS = 1000, LONGEST = 2048, LINE_LONGEST = 256 * 1024 };

/* Around the id of a user whose name belongs there. */
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

struct people {
	struct rest *rest;
	struct person *persons;
	struct waiting *waiting;
	struct alarm *retry;
	char *token;
	uint64_t asked; /* the id that is asked for now, 0: none */
	people_line *line;
	people_found *found;
	void *found_context;
	void *context;
};

static void drain(struct people *people);

static void try_again(void *context)
{
	struct people *people = context;

	people->asked = 0;
	drain(people);
}

struct people *people_create(struct uv_loop_s *loop, struct rest *rest,
                             people_line *line, void *context)
{
	struct people *people = mem_new(sizeof(*people));

	people->rest = rest;
	people->line = line;
	people->context = context;
	people->token = mem_text("", 0);
	people->retry = alarm_create(loop, try_again, people);
	return people;
}

static void forget_first(struct people *people)
{
	struct waiting *first = people->waiting;

	DL_DELETE(people->waiting, first);
	mem_free(&first->line);
	mem_free(&first);
}

void people_destroy(struct people **people)
{
	struct person *person, *next;

	if (!*people)
		return;
	while ((*people)->waiting)
		forget_first(*people);
	HASH_ITER (hh, (*people)->persons, person, next) {
		HASH_DEL((*people)->persons, person);
		mem_free(&person->name);
		mem_free(&person);
	}
	alarm_destroy(&(*people)->retry);
	mem_free(&(*people)->token);
	mem_free(people);
}

static void remember(struct people *people, uint64_t id, struct span name)
{
	struct person *person = mem_new(sizeof(*person));

	person->id = id;
	person->name = mem_text(name.data, name.len);
	HASH_ADD(hh, people->persons, id, sizeof(id), person);
}

static void named(void *context, const struct rest_answer *answer)
{
	struct people *people = context;
	uint64_t id = people->asked;
	char number[32];
	struct span name;

	(void)snprintf(number, sizeof(number), "#%llu", (unsigned long long)id);
	if (answer->status == ST_OK &&
	    json_get_text(answer->json, "name", &name)) {
		remember(people, id, name);
	} else if (answer->status == ST_NOT_FOUND) {
		remember(people, id, span_of(number));
	} else {
		alarm_set(people->retry, RETRY_MS);
		return;
	}
	people->asked = 0;
	drain(people);
}

static void ask(struct people *people, uint64_t id)
{
	char path[64];

	if (people->asked)
		return;
	people->asked = id;
	(void)snprintf(path, sizeof(path), "/auth/users/%llu",
	               (unsigned long long)id);
	rest_get(people->rest, span_of(people->token), path, named, people);
}

bool people_cut_mark(struct span *line, struct span *ret_before,
                     uint64_t *ret_user)
{
	struct span rest, id;

	*ret_before = span_cut(*line, MARK_BEGINS, &rest);
	id = span_cut(rest, MARK_ENDS, line);
	return span_to_u64(id, UINT64_MAX, ret_user);
}

/* False when a name is not known yet: it is asked for. */
static bool write_names(struct people *people, struct span line,
                        struct buf *out)
{
	struct span before;
	uint64_t id;

	while (people_cut_mark(&line, &before, &id)) {
		struct person *person;

		HASH_FIND(hh, people->persons, &id, sizeof(id), person);
		if (!person) {
			ask(people, id);
			return false;
		}
		buf_append(out, before);
		show_text(out, span_of(person->name), 0);
	}
	buf_append(out, before);
	return true;
}

static void drain(struct people *people)
{
	while (people->waiting) {
		struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);

		if (!write_names(people, span_of(people->waiting->line), &line))
			return;
		forget_first(people);
		people->line(people->context, buf_span(&line));
	}
}

void people_mark(struct buf *line, uint64_t user)
{
	buf_byte(line, MARK_BEGINS);
	buf_number(line, user);
	buf_byte(line, MARK_ENDS);
}

void people_put(struct people *people, struct span token, struct span line)
{
	struct waiting *waiting = mem_new(sizeof(*waiting));

	mem_free(&people->token);
	people->token = mem_text(token.data, token.len);
	waiting->line = mem_text(line.data, line.len);
	DL_APPEND(people->waiting, waiting);
	drain(people);
}

bool people_idle(const struct people *people)
{
	return !people->waiting;
}

static void found(void *context, const struct rest_answer *answer)
{
	struct people *people = context;
	enum status status = answer->status;
	uint64_t user = 0;

	if (status == ST_OK && !json_get_id(answer->json, "id", &user))
		status = ST_UNAVAILABLE;
	people->found(people->found_context, status, user, answer->why);
}

void people_find(struct people *people, struct span token, const char *name,
                 people_found *done, void *context)
{
	struct buf path CLEANUP(buf_free) = BUF(LONGEST);

	people->found = done;
	people->found_context = context;
	buf_append(&path, SPAN("/auth/users?name="));
	rest_escape(&path, span_of(name));
	rest_get(people->rest, token, buf_text(&path), found, people);
}
