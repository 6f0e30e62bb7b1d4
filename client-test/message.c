#include "client-test/message.h"
#include "common/base/clock.h"

bool message_read(const struct json *json, struct message *ret_message)
{
	struct message m = {0};
	struct span uuid;

	if (!json_get_id(json, "id", &m.id) ||
	    !json_get_id(json, "conversation", &m.conversation) ||
	    !json_get_id(json, "seq", &m.seq) ||
	    !json_get_id(json, "user_from", &m.user_from) ||
	    !json_get_id(json, "user_to", &m.user_to) ||
	    !json_get_text(json, "uuid", &uuid) || !uuid_parse(uuid, &m.uuid) ||
	    !json_get_text(json, "message", &m.text) ||
	    !json_get_text(json, "created_at", &m.created_at) ||
	    !clock_parse(m.created_at, &m.created_at_ms))
		return false;
	*ret_message = m;
	return true;
}
