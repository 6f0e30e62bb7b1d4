/*
 * save_record - one record of the topic message_save: a message that a gateway
 * took from a socket, on its way to the database. docs/protocol/message_save.md
 *
 * Key       the conversation key: d:<low id>:<high id> for a pair of users,
 *           c:<id> for a group or channel; equal ids for a talk with oneself.
 * Value     JSON: {"kind":"message","uuid":…,"sender":…,"user_to":…,
 *           "message":…,"sent_at":…}
 * Header    "origin", see wire/event.h; handed on to the events.
 */
#ifndef PARLEY_WIRE_SAVE_RECORD_H
#define PARLEY_WIRE_SAVE_RECORD_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/span.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/io/json.h"

#include <stdint.h>

enum {
	MESSAGE_TEXT_MAX = 16 * 1024, /* bytes of UTF-8, at least 1 */
	SAVE_RECORD_MAX = 128 * 1024, /* encoded; \u escapes at worst */
	CONVERSATION_KEY_MAX = 2 + 2 * 20 + 1,
};

struct save_record {
	struct uuid uuid;
	uint64_t sender;
	uint64_t user_to;
	struct span message;
	uint64_t sent_at_ms; /* unix */
};

void save_record_encode(const struct save_record *record, struct buf *ret_json);
/* The key of the pair, without NUL, appended. */
void save_record_key(const struct save_record *record, struct buf *ret_key);

/*
 * Takes any bytes. On ST_OK `ret_record->message` points into *ret_json, which
 * the caller destroys. On ST_INVALID ret_why says what is wrong, and sender and
 * uuid are filled as far as they could be read (sender 0: unknown; `*ret_named`
 * false: no uuid), so that the sender can be told.
 */
MUST_CHECK enum status save_record_decode(struct span key, struct span value,
                                          struct json **ret_json,
                                          struct save_record *ret_record,
                                          bool *ret_named,
                                          const char **ret_why);

#endif
