#include "client-test/client/message.h"
#include "common/base/clock.h"

#define MESSAGE_CHANGE_NAME(name) [CHANGE_##name] = #name,
static const char *const changes[] = {MESSAGE_CHANGES(MESSAGE_CHANGE_NAME)};

enum status message_parse(struct span text, struct json **ret_json)
{
	const char *why;

	if (json_parse(text, ret_json, &why) == ST_OK)
		return ST_OK;
	/* Longer than the first limit allows: it names many users. */
	return json_parse_long(text, ret_json, &why);
}

static enum message_change change_of(struct span what)
{
	for (unsigned i = CHANGE_created; i < ARRAY_LEN(changes); i++) {
		if (span_equal(what, span_of(changes[i])))
			return (enum message_change)i;
	}
	return CHANGE_OTHER;
}

static bool read_change(const struct json *json, struct message *m)
{
	static const char *const detail_names[] = {
		[CHANGE_created] = "name", [CHANGE_role] = "role",
		[CHANGE_renamed] = "name", [CHANGE_history] = "history",
		[CHANGE_OTHER] = NULL,
	};
	const struct json *change = json_get_object(json, "change");
	struct span what;
	uint64_t user;
	unsigned users = 0;

	if (!change || !json_get_text(change, "what", &what))
		return false;
	m->change = change_of(what);
	(void)json_get_id(change, "owner", &m->owner);
	if (detail_names[m->change])
		(void)json_get_text(change, detail_names[m->change],
		                    &m->detail);
	while (json_item_id(change, "users", users, &user))
		users++;
	/* False if one of the users is not an id. */
	return !json_get_item(change, "users", users);
}

static bool read_text(const struct json *json, struct message *m)
{
	m->edited = json_kind(json, "edited_at") == JSON_TEXT;
	m->deleted = json_kind(json, "deleted_at") == JSON_TEXT;
	if (json_kind(json, "user_to") != JSON_ABSENT &&
	    !json_get_id(json, "user_to", &m->user_to))
		return false;
	(void)json_get_id(json, "reply_to", &m->reply_to);
	(void)json_get_id(json, "revision", &m->revision);
	return json_get_text(json, "message", &m->text);
}

/* An entry without a type is a message: older servers send no type. */
static bool is_member(const struct json *json)
{
	struct span type;

	return json_get_text(json, "type", &type) &&
	       span_equal(type, SPAN("member"));
}

bool message_read(const struct json *json, struct message *ret_message)
{
	struct message m = {.json = json};
	struct span uuid;

	if (!json_get_id(json, "id", &m.id) ||
	    !json_get_id(json, "conversation", &m.conversation) ||
	    !json_get_id(json, "seq", &m.seq) ||
	    !json_get_id(json, "user_from", &m.user_from) ||
	    !json_get_text(json, "uuid", &uuid) || !uuid_parse(uuid, &m.uuid) ||
	    !json_get_text(json, "created_at", &m.created_at) ||
	    !clock_parse(m.created_at, &m.created_at_ms))
		return false;
	if (!(is_member(json) ? read_change(json, &m) : read_text(json, &m)))
		return false;
	*ret_message = m;
	return true;
}

bool message_read_edit(const struct json *json, struct message_edit *ret_edit)
{
	struct message_edit e = {0};
	struct span type = SPAN_NONE;
	const char *text = NULL;

	(void)json_get_text(json, "type", &type);
	if (span_equal(type, SPAN("edit"))) {
		e.kind = EDIT_TEXT;
		text = "message";
	} else if (span_equal(type, SPAN("reaction"))) {
		e.kind = EDIT_REACTION;
		text = "reaction";
	} else {
		e.kind = EDIT_DELETE;
	}
	if (!json_get_id(json, "conversation", &e.conversation) ||
	    !json_get_id(json, "seq", &e.seq) ||
	    !json_get_id(json, "revision", &e.revision) ||
	    !json_get_id(json, "user_from", &e.user_from) ||
	    (text && !json_get_text(json, text, &e.text)))
		return false;
	(void)json_get_bool(json, "remove", &e.remove);
	*ret_edit = e;
	return true;
}

bool message_change_user(const struct message *message, unsigned index,
                         uint64_t *ret_user)
{
	const struct json *change = json_get_object(message->json, "change");

	return change && json_item_id(change, "users", index, ret_user);
}

bool message_change_affects(const struct message *message, uint64_t user)
{
	uint64_t id;

	for (unsigned i = 0; message_change_user(message, i, &id); i++) {
		if (id == user)
			return true;
	}
	return false;
}
