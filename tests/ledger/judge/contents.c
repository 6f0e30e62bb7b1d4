#include "tests/ledger/judge/contents.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/message_text.h"
#include "tests/ledger/judge/recipients.h"

/* What a history shows of a message. */
struct content {
	const struct edit *last; /* of all; NULL: none */
	const struct edit *text; /* NULL: the original text */
	bool deleted;
	uint64_t reactions[LEDGER_REACTIONS]; /* a bit for each position */
};

/* --- texts --------------------------------------------------------------- */
static bool is_text(const struct ledger *ledger, uint32_t number,
                    const struct edit *edit, struct span text)
{
	struct buf expected CLEANUP(buf_free) =
		BUF(ledger->config.text_bytes + 64);

	if (edit)
		message_text_write_edit(
			ledger, (uint32_t)(edit - ledger->edits), &expected);
	else
		message_text_write(ledger, number, &expected);
	return span_equal(buf_span(&expected), text);
}

bool contents_possible(const struct ledger *ledger, uint32_t number,
                       const struct message *message)
{
	const struct edit *edit = edits_first(ledger, number);

	if (is_text(ledger, number, NULL, message->text))
		return true;
	for (; edit; edit = edits_next(ledger, edit)) {
		if (!edit->sent_us)
			continue;
		if (edit->kind == LEDGER_DELETE && message->text.len == 0)
			return true;
		if (edit->kind == LEDGER_EDIT &&
		    is_text(ledger, number, edit, message->text))
			return true;
	}
	return false;
}

/* --- the content at the end ---------------------------------------------- */
static bool is_later(const struct edit *edit, const struct edit *other)
{
	return !other || edit->revision > other->revision;
}

/* The last reaction of this kind by this user; NULL: none. */
static const struct edit *last_reaction(const struct ledger *ledger,
                                        uint32_t number, unsigned reaction,
                                        unsigned user)
{
	const struct edit *edit = edits_first(ledger, number), *last = NULL;

	for (; edit; edit = edits_next(ledger, edit)) {
		if (edit->kind == LEDGER_REACT && edit->reaction == reaction &&
		    edit->from == user && edit->revision &&
		    is_later(edit, last))
			last = edit;
	}
	return last;
}

/* False: an edit may have been saved without a socket that saw it. */
static bool expect(const struct ledger *ledger, uint32_t number,
                   struct content *ret_content)
{
	const struct entry *entry = &ledger->entries[number];
	const struct edit *edit = edits_first(ledger, number);
	struct content content = {0};

	for (; edit; edit = edits_next(ledger, edit)) {
		if (edit->sent_us && !edit->refused && !edit->revision)
			return false;
		if (!edit->revision)
			continue;
		if (is_later(edit, content.last))
			content.last = edit;
		if (edit->kind == LEDGER_EDIT && is_later(edit, content.text))
			content.text = edit;
		if (edit->kind == LEDGER_DELETE)
			content.deleted = true;
	}
	for (unsigned r = 0; r < LEDGER_REACTIONS && !content.deleted; r++) {
		for (unsigned p = 0; p < recipients_count(ledger, entry); p++) {
			edit = last_reaction(ledger, number, r,
			                     recipients_user(ledger, entry, p));
			if (edit && !edit->remove)
				content.reactions[r] |= UINT64_C(1) << p;
		}
	}
	*ret_content = content;
	return true;
}

/* The positions of the users who reacted, by reaction. */
static bool read_reactions(const struct ledger *ledger,
                           const struct entry *entry,
                           const struct message *message, uint64_t *ret_bits)
{
	const struct json *item;

	for (unsigned i = 0;
	     (item = json_get_item(message->json, "reactions", i)) != NULL;
	     i++) {
		struct span text;
		uint64_t id, count;
		unsigned r = 0, users = 0;

		if (!json_get_text(item, "reaction", &text) ||
		    !json_get_id(item, "count", &count))
			return false;
		while (r < LEDGER_REACTIONS &&
		       !span_equal(message_text_reaction(r), text))
			r++;
		if (r == LEDGER_REACTIONS)
			return false;
		for (; json_item_id(item, "users", users, &id); users++) {
			unsigned p = 0;

			while (p < recipients_count(ledger, entry) &&
			       ledger->ids[recipients_user(ledger, entry, p)] !=
			               id)
				p++;
			ret_bits[r] |= UINT64_C(1) << p;
		}
		if (users != count)
			return false;
	}
	return true;
}

static const char *difference(const struct ledger *ledger, uint32_t number,
                              const struct message *message,
                              const struct content *content)
{
	uint64_t reactions[LEDGER_REACTIONS] = {0};

	if (message->revision != (content->last ? content->last->revision : 0))
		return "another revision";
	if (message->deleted != content->deleted)
		return content->deleted ? "deleted before" : "deleted";
	if (content->deleted
	            ? message->text.len != 0
	            : !is_text(ledger, number, content->text, message->text))
		return "another text";
	if (!content->deleted && message->edited != (content->text != NULL))
		return content->text ? "not edited" : "edited";
	if (!read_reactions(ledger, &ledger->entries[number], message,
	                    reactions) ||
	    memcmp(reactions, content->reactions, sizeof(reactions)) != 0)
		return "other reactions";
	return NULL;
}

void contents_judge(struct ledger *ledger, unsigned user, uint32_t number,
                    const struct message *message)
{
	struct content content;
	const char *what;

	if (!expect(ledger, number, &content))
		return;
	what = difference(ledger, number, message, &content);
	if (what)
		faults_add(ledger, FAULT_content,
		           "message %u in the history of user %u, seq %llu of "
		           "conversation %llu: %s (last revision %llu)",
		           number, user, (unsigned long long)message->seq,
		           (unsigned long long)message->conversation, what,
		           content.last
		                   ? (unsigned long long)content.last->revision
		                   : 0);
}
