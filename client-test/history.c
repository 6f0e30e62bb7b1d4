/*
 * The history command: prints the last entries of a conversation as they are
 * now, and who has read them; or the list of the user's conversations.
 */
#include "client-test/cli/message_line.h"
#include "client-test/cli/roster.h"
#include "client-test/cli/terminal.h"
#include "client-test/cli/user_names.h"
#include "client-test/commands.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { PAGE = 200, PATH_LONGEST = 1024, ITEM_LONGEST = 1024 };

struct history_options {
	struct account_options account;
	const char *in;   /* a conversation's title or id, … */
	const char *with; /* … or the other user of a direct one */
	uint64_t count;
	bool seen;
};

/* An entry of a page. Names are looked up after the page was read. */
struct kept {
	uint64_t seq;
	uint64_t user_from;
	char *line;
};

struct reader {
	struct rest_session *session;
	struct roster roster; /* empty without --seen */
	uint64_t conversation;
	uint64_t seq; /* read so far */
	struct kept kept[PAGE];
	unsigned count;
	bool more;
	struct buf next; /* the cursor of the list; empty: no page follows */
};

/* --- one conversation ---------------------------------------------------- */
static void print_line(struct reader *reader, const char *text)
{
	struct buf out CLEANUP(buf_free) = BUF(2 * MESSAGE_LINE_MAX);
	struct span line = span_of(text), before;
	uint64_t user;

	while (user_names_cut_mark(&line, &before, &user)) {
		buf_append(&out, before);
		buf_append(&out, span_of(rest_session_user_name(reader->session,
		                                                user)));
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
		(void)printf(
			"%s%s", seen++ ? ", " : "      read by ",
			rest_session_user_name(reader->session, member->user));
	}
	if (seen)
		(void)puts("");
}

static void keep_page(void *context, const struct rest_answer *answer)
{
	struct reader *reader = context;
	const struct message_line_style style = {
		.self = rest_session_user(reader->session),
		.numbered = true,
	};
	const struct json *item;
	struct message message;
	uint64_t next;

	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "messages", i)) != NULL; i++) {
		struct buf line CLEANUP(buf_free) = BUF(MESSAGE_LINE_MAX);

		if (!message_read(item, &message) || reader->count == PAGE)
			continue;
		message_line_entry(&line, &message, &style);
		reader->seq = message.seq;
		reader->kept[reader->count++] = (struct kept){
			.seq = message.seq,
			.user_from = message.user_from,
			.line = mem_text(line.data, line.len),
		};
	}
	reader->more = json_get_id(answer->json, "next", &next);
}

static void print_history(struct reader *reader,
                          const struct history_options *options)
{
	struct conversation_info info;
	char path[128];

	if (*options->in ? !rest_session_find_conversation(reader->session,
	                                                   options->in, &info)
	                 : !rest_session_find_direct(reader->session,
	                                             options->with, &info))
		return;
	reader->conversation = info.id;
	if (info.last_seq > options->count)
		reader->seq = info.last_seq - options->count;
	if (options->seen &&
	    !roster_read(reader->session, info.id, &reader->roster))
		return;
	do {
		(void)snprintf(
			path, sizeof(path),
			"/conversations/%llu/messages?after=%llu&limit=%u",
			(unsigned long long)reader->conversation,
			(unsigned long long)reader->seq, (unsigned)PAGE);
		if (!rest_session_call(reader->session, "history", "GET", path,
		                       SPAN_NONE, keep_page, reader))
			return;
		for (unsigned i = 0; i < reader->count; i++) {
			print_line(reader, reader->kept[i].line);
			print_seen(reader, &reader->kept[i]);
			mem_free(&reader->kept[i].line);
		}
		reader->count = 0;
	} while (reader->more);
}

/* --- the list of conversations ------------------------------------------- */
static void print_item(const struct json *item)
{
	struct buf line CLEANUP(buf_free) = BUF(ITEM_LONGEST);
	const struct json *with = json_get_object(item, "with");
	struct conversation_info info;
	uint64_t unread = 0;

	if (!conversation_info_read(item, &info))
		return;
	(void)json_get_id(item, "unread", &unread);
	if (with)
		(void)json_get_text(with, "name", &info.title);
	buf_format(&line, "%-7.*s %llu  ", (int)info.kind.len, info.kind.data,
	           (unsigned long long)info.id);
	terminal_text(&line, info.title, 0);
	buf_format(&line, "  up to #%llu, %llu unread",
	           (unsigned long long)info.last_seq,
	           (unsigned long long)unread);
	(void)puts(buf_text(&line));
}

static void print_items(void *context, const struct rest_answer *answer)
{
	struct reader *reader = context;
	const struct json *item;

	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "conversations", i)); i++)
		print_item(item);
	buf_clear(&reader->next);
	(void)rest_next_page(answer->json, &reader->next);
}

static void print_list(struct reader *reader)
{
	do {
		struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

		buf_format(&path, "/conversations?limit=%u", (unsigned)PAGE);
		if (reader->next.len)
			buf_format(&path, "&before=%s",
			           buf_text(&reader->next));
		if (!rest_session_call(reader->session, "conversations", "GET",
		                       buf_text(&path), SPAN_NONE, print_items,
		                       reader))
			return;
	} while (reader->next.len);
}

/* --- the command --------------------------------------------------------- */
static int history_run(const void *context)
{
	static struct reader reader;
	const struct history_options *options = context;

	if (*options->in && *options->with) {
		(void)fprintf(stderr, "client-test history: --in and --with "
		                      "exclude each other\n");
		return EXIT_USAGE;
	}
	reader.next = BUF(PATH_LONGEST);
	reader.session = rest_session_create(&options->account);
	if (!reader.session)
		return EXIT_FAILED;
	if (*options->in || *options->with)
		print_history(&reader, options);
	else
		print_list(&reader);
	roster_free(&reader.roster);
	buf_free(&reader.next);
	return rest_session_destroy(&reader.session);
}

static const struct option_row rows[] = {
	OPTIONS_ACCOUNT("you; registered if the name is free"),
	OPTION_TEXT(struct history_options, in, "--in", "WHICH", "", NULL,
                    "a conversation, by its title or number"),
	OPTION_TEXT(struct history_options, with, "--with", "NAME", "", NULL,
                    "or the direct conversation with this user"),
	OPTION_NUMBER(struct history_options, count, "--count", "50", 1,
                      1000000, "how many of the last entries"),
	OPTION_FLAG(struct history_options, seen, "--seen",
                    "prints who has read each entry"),
};

const struct command history_command = {
	.name = "history",
	.words = "",
	.purpose = "prints a conversation, or the list of conversations",
	.exits = "0 if all was printed; 1 if something failed, with the reason "
		 "on stderr; 128 + N after signal N; 100 for wrong arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.signs_in = true,
	.options_size = sizeof(struct history_options),
	.run = history_run,
};
