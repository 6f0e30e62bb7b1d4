/*
 * The last entries of a conversation as they are now, and who has read them;
 * or, without one, the conversations that one is in.
 */
#include "client-test/cli/line.h"
#include "client-test/cli/people.h"
#include "client-test/cli/roster.h"
#include "client-test/cli/show.h"
#include "client-test/commands.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { PAGE = 200, PATH_LONGEST = 1024, ITEM_LONGEST = 1024 };

/* An entry of a page: names are asked for when the page is over. */
struct kept {
	uint64_t seq;
	uint64_t user_from;
	char *line;
};

struct reader {
	struct caller *caller;
	struct roster roster; /* empty without --seen */
	uint64_t conversation;
	uint64_t seq; /* read up to here */
	struct kept kept[PAGE];
	unsigned count;
	bool more;
	struct buf next; /* of the list; empty: it has ended */
};

/* --- one conversation ------------------------------------------------------
 */
static void print_line(struct reader *reader, const char *text)
{
	struct buf out CLEANUP(buf_free) = BUF(2 * LINE_LONGEST);
	struct span line = span_of(text), before;
	uint64_t user;

	while (people_cut_mark(&line, &before, &user)) {
		buf_append(&out, before);
		buf_append(&out, span_of(caller_name(reader->caller, user)));
	}
	buf_append(&out, before);
	(void)puts(buf_text(&out));
}

static void print_seen(struct reader *reader, const struct kept *kept)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < reader->roster.count; i++) {
		const struct roster_member *member = &reader->roster.members[i];

		if (member->user == kept->user_from ||
		    member->read_seq < kept->seq)
			continue;
		(void)printf("%s%s", seen++ ? ", " : "      read by ",
		             caller_name(reader->caller, member->user));
	}
	if (seen)
		(void)puts("");
}

static void keep_page(void *context, const struct rest_answer *answer)
{
	struct reader *reader = context;
	const struct line_style style = {
		.self = caller_user(reader->caller),
		.numbered = true,
	};
	const struct json *item;
	struct message message;
	uint64_t next;

	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "messages", i)) != NULL; i++) {
		struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);

		if (!message_read(item, &message) || reader->count == PAGE)
			continue;
		line_entry(&line, &message, &style);
		reader->seq = message.seq;
		reader->kept[reader->count++] = (struct kept){
			.seq = message.seq,
			.user_from = message.user_from,
			.line = mem_text(line.data, line.len),
		};
	}
	reader->more = json_get_id(answer->json, "next", &next);
}

static void print_page(struct reader *reader)
{
	for (unsigned i = 0; i < reader->count; i++) {
		print_line(reader, reader->kept[i].line);
		print_seen(reader, &reader->kept[i]);
		mem_free(&reader->kept[i].line);
	}
	reader->count = 0;
}

static bool read_page(struct reader *reader)
{
	char path[128];

	(void)snprintf(path, sizeof(path),
	               "/conversations/%llu/messages?after=%llu&limit=%u",
	               (unsigned long long)reader->conversation,
	               (unsigned long long)reader->seq, (unsigned)PAGE);
	return caller_ask(reader->caller, "history", "GET", path, SPAN_NONE,
	                  keep_page, reader);
}

static void print_history(struct reader *reader, const struct options *options)
{
	struct room room;

	if (*options->in
	            ? !caller_find_room(reader->caller, options->in, &room)
	            : !caller_find_direct(reader->caller, options->with, &room))
		return;
	reader->conversation = room.id;
	if (room.last_seq > options->count)
		reader->seq = room.last_seq - options->count;
	if (options->seen &&
	    !roster_read(reader->caller, room.id, &reader->roster))
		return;
	do {
		if (!read_page(reader))
			return;
		print_page(reader);
	} while (reader->more);
}

/* --- the list --------------------------------------------------------------
 */
static void print_item(const struct json *item)
{
	struct buf line CLEANUP(buf_free) = BUF(ITEM_LONGEST);
	const struct json *with = json_get_object(item, "with");
	struct room room;
	uint64_t unread = 0;

	if (!room_read(item, &room))
		return;
	(void)json_get_id(item, "unread", &unread);
	if (with)
		(void)json_get_text(with, "name", &room.title);
	buf_format(&line, "%-7.*s %llu  ", (int)room.kind.len, room.kind.data,
	           (unsigned long long)room.id);
	show_text(&line, room.title, 0);
	buf_format(&line, "  up to #%llu, %llu unread",
	           (unsigned long long)room.last_seq,
	           (unsigned long long)unread);
	(void)puts(buf_text(&line));
}

static void print_items(void *context, const struct rest_answer *answer)
{
	struct reader *reader = context;
	const struct json *item;
	struct span text;
	uint64_t number;

	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "conversations", i)); i++)
		print_item(item);
	buf_clear(&reader->next);
	if (json_get_id(answer->json, "next", &number))
		buf_number(&reader->next, number);
	else if (json_get_text(answer->json, "next", &text))
		rest_escape(&reader->next, text);
}

static void print_list(struct reader *reader)
{
	do {
		struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

		buf_format(&path, "/conversations?limit=%u", (unsigned)PAGE);
		if (reader->next.len)
			buf_format(&path, "&before=%s",
			           buf_text(&reader->next));
		if (!caller_ask(reader->caller, "conversations", "GET",
		                buf_text(&path), SPAN_NONE, print_items,
		                reader))
			return;
	} while (reader->next.len);
}

/* --- the whole -------------------------------------------------------------
 */
static int history_run(const struct options *options)
{
	static struct reader reader;

	if (*options->in && *options->with) {
		(void)fprintf(stderr, "client-test history: --in and --with "
		                      "exclude each other\n");
		return EXIT_USAGE;
	}
	reader.next = BUF(PATH_LONGEST);
	reader.caller = caller_create(options);
	if (!reader.caller)
		return EXIT_FAILED;
	if (*options->in || *options->with)
		print_history(&reader, options);
	else
		print_list(&reader);
	roster_free(&reader.roster);
	buf_free(&reader.next);
	return caller_destroy(&reader.caller);
}

static const struct option_row rows[] = {
	OPTION_URL,
	OPTIONS_WHO("you; registered when the name is free"),
	OPTION_TEXT(in, "--in", "WHICH", "", NULL,
                    "a conversation, by its title or number"),
	OPTION_TEXT(with, "--with", "NAME", "", NULL,
                    "instead: the one with that person"),
	OPTION_NUMBER(count, "--count", "50", 1, 1000000,
                      "the last so many entries"),
	OPTION_FLAG(seen, "--seen", "says who has read each"),
};

const struct command history_command = {
	.name = "history",
	.words = "",
	.purpose = "prints a conversation, or the list of mine",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.run = history_run,
};
