#include "client-test/cli/message_line.h"
#include "client-test/cli/terminal.h"
#include "client-test/cli/user_names.h"

enum { INDENT = 10 };

static void user_name(struct buf *out, uint64_t user,
                      const struct message_line_style *style)
{
	if (user == style->self)
		buf_append(out, SPAN("you"));
	else
		user_names_mark(out, user);
}

/* --- membership changes -------------------------------------------------- */
static void users(struct buf *out, const struct message *m, unsigned from,
                  const struct message_line_style *style)
{
	uint64_t user;

	for (unsigned i = from; message_change_user(m, i, &user); i++) {
		if (i > from)
			buf_append(out, SPAN(", "));
		user_name(out, user, style);
	}
}

static void quoted(struct buf *out, const char *before, struct span text)
{
	buf_format(out, "%s\"", before);
	terminal_text(out, text, INDENT);
	buf_byte(out, '"');
}

static void change(struct buf *out, const struct message *m,
                   const struct message_line_style *style)
{
	uint64_t second;

	buf_append(out, SPAN("* "));
	user_name(out, m->user_from, style);
	switch (m->change) {
	case CHANGE_created:
		quoted(out, " made ", m->detail);
		if (!message_change_user(m, 1, &second))
			break;
		buf_append(out, SPAN(" with "));
		users(out, m, 1, style); /* without the first, the creator */
		break;
	case CHANGE_invited:
		buf_append(out, SPAN(" invited "));
		users(out, m, 0, style);
		break;
	case CHANGE_removed:
		buf_append(out, SPAN(" removed "));
		users(out, m, 0, style);
		break;
	case CHANGE_joined:
		buf_append(out, SPAN(" joined"));
		break;
	case CHANGE_left:
		buf_append(out, SPAN(" left"));
		if (!m->owner)
			break;
		buf_append(out, SPAN("; the owner is now "));
		user_name(out, m->owner, style);
		break;
	case CHANGE_role:
		buf_append(out, SPAN(" made "));
		users(out, m, 0, style);
		buf_byte(out, ' ');
		terminal_text(out, m->detail, INDENT);
		break;
	case CHANGE_renamed:
		quoted(out, " renamed it ", m->detail);
		break;
	case CHANGE_history:
		quoted(out, " lets new members see ", m->detail);
		break;
	case CHANGE_deleted:
		buf_append(out, SPAN(" deleted it"));
		break;
	case CHANGE_none:
	case CHANGE_OTHER:
		buf_append(out, SPAN(" changed something"));
		break;
	}
}

/* --- messages ------------------------------------------------------------ */
static void reactions(struct buf *out, const struct message *m,
                      const struct message_line_style *style)
{
	const struct json *item;
	struct span reaction;
	uint64_t user;

	for (unsigned i = 0;
	     (item = json_get_item(m->json, "reactions", i)) != NULL; i++) {
		if (!json_get_text(item, "reaction", &reaction))
			continue;
		buf_append(out, SPAN("  ["));
		terminal_text(out, reaction, 0);
		for (unsigned k = 0; json_item_id(item, "users", k, &user);
		     k++) {
			buf_append(out, k ? SPAN(", ") : SPAN(" "));
			user_name(out, user, style);
		}
		buf_byte(out, ']');
	}
}

static void text(struct buf *out, const struct message *m,
                 const struct message_line_style *style)
{
	user_name(out, m->user_from, style);
	buf_append(out, SPAN(": "));
	if (m->reply_to)
		buf_format(out, "(to #%llu) ", (unsigned long long)m->reply_to);
	if (m->deleted)
		buf_append(out, SPAN("(deleted)"));
	terminal_text(out, m->text, INDENT);
	if (m->edited && !m->deleted)
		buf_append(out, SPAN(" (edited)"));
	reactions(out, m, style);
}

void message_line_entry(struct buf *out, const struct message *message,
                        const struct message_line_style *style)
{
	if (style->numbered)
		buf_format(out, "#%llu  ", (unsigned long long)message->seq);
	terminal_clock(out, message->created_at_ms);
	buf_append(out, SPAN("  "));
	if (style->conversations && !message->user_to)
		buf_format(out, "[%llu] ",
		           (unsigned long long)message->conversation);
	if (message->change == CHANGE_none)
		text(out, message, style);
	else
		change(out, message, style);
}

void message_line_edit(struct buf *out, const struct message_edit *edit,
                       const struct message_line_style *style)
{
	buf_append(out, SPAN("* "));
	user_name(out, edit->user_from, style);
	if (edit->kind == EDIT_TEXT)
		buf_append(out, SPAN(" edited"));
	else if (edit->kind == EDIT_DELETE)
		buf_append(out, SPAN(" deleted"));
	else
		buf_append(out, edit->remove ? SPAN(" takes back a reaction to")
		                             : SPAN(" reacts to"));
	buf_format(out, " #%llu", (unsigned long long)edit->seq);
	if (edit->kind == EDIT_DELETE)
		return;
	buf_append(out, SPAN(": "));
	terminal_text(out, edit->text, INDENT);
}
