/*
 * fields - the JSON member names of frames, records and identity-service's
 * answers. One definition, so that reader and writer agree.
 */
#ifndef PARLEY_WIRE_FIELDS_H
#define PARLEY_WIRE_FIELDS_H

#define FIELD_CHANGE          "change"
#define FIELD_CODE            "code"
#define FIELD_CONVERSATION    "conversation"
#define FIELD_CONVERSATIONS   "conversations"
#define FIELD_CREATED_AT      "created_at"
#define FIELD_DELETED_AT      "deleted_at"
#define FIELD_DELIVERED       "delivered"
#define FIELD_DETAIL          "detail"
#define FIELD_EDITED_AT       "edited_at"
#define FIELD_EXPIRES_AT      "expires_at"
#define FIELD_ID              "id"
#define FIELD_KIND            "kind"
#define FIELD_LAST_SEEN       "last_seen"
#define FIELD_MESSAGE         "message"
#define FIELD_NAME            "name"
#define FIELD_PING_INTERVAL_S "ping_interval_s"
#define FIELD_REACTION        "reaction"
#define FIELD_REACTIONS       "reactions"
#define FIELD_READ            "read"
#define FIELD_REMOVE          "remove"
#define FIELD_REPLY_TO        "reply_to"
#define FIELD_RETRYABLE       "retryable"
#define FIELD_REVISION        "revision"
#define FIELD_ROW             "row"
#define FIELD_SENDER          "sender"
#define FIELD_SENT_AT         "sent_at"
#define FIELD_SEQ             "seq"
#define FIELD_SESSION         "session"
#define FIELD_STATE           "state"
#define FIELD_TOKEN           "token"
#define FIELD_TYPE            "type"
#define FIELD_USER            "user"
#define FIELD_USERS           "users"
#define FIELD_USER_FROM       "user_from"
#define FIELD_USER_TO         "user_to"
#define FIELD_UUID            "uuid"

#endif
