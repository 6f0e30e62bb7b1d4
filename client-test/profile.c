/*
 * The profile command: prints the profile of a user, and changes the own one.
 */
#include "client-test/cli/rest_session.h"
#include "client-test/cli/terminal.h"
#include "client-test/commands.h"
#include "common/base/json_write.h"
#include "common/base/utf8.h"

#include <stdio.h>
#include <string.h>

enum { LINE_LONGEST = 16384, BODY_LONGEST = 32768, COLUMN = 14 };

struct profile_options {
	struct account_options account;
};

static const char *const changeable[] = {"display_name", "about", "avatar_url"};

/* --- printing ------------------------------------------------------------ */

static void print_member(const struct json *profile, const char *name)
{
	struct buf line CLEANUP(buf_free) = BUF(LINE_LONGEST);
	struct span text;

	buf_format(&line, "%-*s", COLUMN, name);
	if (!json_get_text(profile, name, &text))
		text = SPAN("-");
	terminal_text(&line, text, COLUMN);
	(void)puts(buf_text(&line));
}

static void print_profile(void *context, const struct rest_answer *answer)
{
	uint64_t id = 0;

	(void)context;
	(void)json_get_id(answer->json, "id", &id);
	(void)printf("%-*s%llu\n", COLUMN, "id", (unsigned long long)id);
	print_member(answer->json, "name");
	for (size_t i = 0; i < ARRAY_LEN(changeable); i++)
		print_member(answer->json, changeable[i]);
	if (json_kind(answer->json, "phone") != JSON_ABSENT)
		print_member(answer->json, "phone");
}

static bool print_own(struct rest_session *session, const void *nothing)
{
	(void)nothing;
	return rest_session_call(session, "profile", "GET", "/auth/profile",
	                         SPAN_NONE, print_profile, NULL);
}

static bool print_other(struct rest_session *session, const void *context)
{
	const char *name = context;
	char path[64];
	uint64_t user;

	if (!rest_session_find_user(session, name, &user))
		return false;
	(void)snprintf(path, sizeof(path), "/auth/users/%llu",
	               (unsigned long long)user);
	return rest_session_call(session, name, "GET", path, SPAN_NONE,
	                         print_profile, NULL);
}

/* --- changing ------------------------------------------------------------ */

/* "about=…"; an empty value removes the member. */
static bool write_member(struct json_writer *w, const char *word)
{
	struct span value;
	struct span name = span_cut(span_of(word), '=', &value);

	if (!strchr(word, '=') || !utf8_valid(value))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(changeable); i++) {
		if (!span_equal(name, span_of(changeable[i])))
			continue;
		if (value.len)
			json_text(w, changeable[i], value);
		else
			json_null(w, changeable[i]);
		return true;
	}
	return false;
}

static bool write_change(struct buf *body, char **words, unsigned count)
{
	struct json_writer w = json_writer(body);

	json_open(&w);
	for (unsigned i = 0; i < count; i++) {
		if (!write_member(&w, words[i])) {
			(void)fprintf(stderr,
			              "client-test profile: '%s' is no "
			              "display_name=TEXT, about=TEXT or "
			              "avatar_url=URL in UTF-8\n",
			              words[i]);
			return false;
		}
	}
	json_close(&w);
	if (!buf_overflowed(body))
		return true;
	(void)fprintf(stderr, "client-test profile: this is too long\n");
	return false;
}

static bool change(struct rest_session *session, const void *context)
{
	const struct buf *body = context;

	return rest_session_call(session, "profile", "PATCH", "/auth/profile",
	                         buf_span(body), print_profile, NULL);
}

/* --- the command --------------------------------------------------------- */

static int profile_run(const void *context)
{
	const struct profile_options *options = context;
	const struct options *given = &options->account.options;
	bool sets = given->word_count && !strcmp(given->words[0], "set");
	struct buf body CLEANUP(buf_free) = BUF(BODY_LONGEST);

	if (sets ? given->word_count == 1 : given->word_count > 1) {
		(void)fprintf(stderr, "client-test profile %s\n",
		              profile_command.words);
		return EXIT_USAGE;
	}
	if (sets &&
	    !write_change(&body, given->words + 1, given->word_count - 1))
		return EXIT_USAGE;
	if (sets)
		return rest_session_run(&options->account, change, &body);
	return rest_session_run(&options->account,
	                        given->word_count ? print_other : print_own,
	                        given->word_count ? given->words[0] : NULL);
}

static const struct option_row rows[] = {
	OPTIONS_ACCOUNT("you; registered if the name is free"),
};

const struct command profile_command = {
	.name = "profile",
	.words = "[USER | set display_name=TEXT about=TEXT avatar_url=URL]",
	.purpose = "prints a profile, or changes yours; an empty value removes",
	.exits = "0 if all was done; 1 if something was refused or failed, "
		 "with the reason on stderr; 128 + N after signal N; 100 for "
		 "wrong arguments.",
	.rows = rows,
	.row_count = ARRAY_LEN(rows),
	.words_max = UINT32_MAX,
	.signs_in = true,
	.options_size = sizeof(struct profile_options),
	.run = profile_run,
};
