/*
 * Whatever a socket sends: frame_decode() refuses it with a code and a text, or
 * gives a frame that keeps every promise of frame.h.
 */
#include "common/base/utf8.h"
#include "common/wire/frame.h"
#include "common/wire/save_record.h"
#include "tests/fuzz/fuzz.h"

static void check_fault(const struct frame_fault *fault)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	must(fault->detail != NULL);
	must(*frame_code_text(fault->code) != '\0');
	frame_error(&out, fault->has_uuid ? &fault->uuid : NULL, fault->code,
	            fault->detail);
	must(!buf_overflowed(&out));
	must_be_json(buf_span(&out));
}

static bool is_id(uint64_t number)
{
	return number >= 1 && number <= JSON_ID_MAX;
}

static void check_text(struct span text)
{
	must(text.len >= 1 && text.len <= MESSAGE_TEXT_MAX);
	must(utf8_valid(text));
}

static void must_be_frame(const struct buf *out)
{
	struct json *json = NULL;
	const char *why;

	must(!buf_overflowed(out));
	/* Clients are told of more than we would be. */
	must(json_parse_long(buf_span(out), &json, &why) == ST_OK);
	json_destroy(&json);
}

static void check_message(const struct client_frame *frame, struct buf *out)
{
	struct saved_message saved = {
		.id = JSON_ID_MAX,
		.conversation = JSON_ID_MAX,
		.seq = JSON_ID_MAX,
		.user_from = 1,
		.user_to = frame->user_to,
		.reply_to = frame->reply_to,
		.uuid = frame->uuid,
		.message = frame->message,
	};

	check_text(frame->message);
	must(frame->user_to ? !frame->conversation : frame->conversation);
	must(frame->user_to <= JSON_ID_MAX && frame->reply_to <= JSON_ID_MAX);
	frame_message(out, &saved);
	must_be_frame(out);
}

static void check_change(const struct client_frame *frame, struct buf *out)
{
	struct saved_change change = {
		.kind = frame->kind,
		.remove = frame->remove,
		.uuid = frame->uuid,
		.conversation = frame->conversation,
		.seq = frame->seq,
		.revision = JSON_ID_MAX,
		.user = JSON_ID_MAX,
		.message = frame->message,
		.reaction = frame->reaction,
	};

	if (frame->kind == CLIENT_EDIT)
		check_text(frame->message);
	else
		must(!frame->message.len);
	must((frame->kind == CLIENT_REACT) ==
	     save_reaction_fits(frame->reaction));
	frame_change(out, &change);
	must_be_frame(out);
}

static void check_presence(const struct client_frame *frame, struct buf *out)
{
	struct presence_frame presence = frame_presence_open(out);

	must(frame->user_count <= PRESENCE_USERS_MAX);
	for (unsigned i = 0; i < frame->user_count; i++) {
		uint64_t user = frame_presence_user(frame, i);

		must(is_id(user));
		frame_presence_add(&presence, user, UINT64_MAX);
	}
	frame_presence_close(&presence);
	must_be_frame(out);
}

static void check_frame(const struct client_frame *frame)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	if (frame->kind != CLIENT_MESSAGE && frame->kind != CLIENT_PRESENCE)
		must(is_id(frame->conversation) && !frame->user_to);
	if (frame->kind == CLIENT_PRESENCE)
		check_presence(frame, &out);
	else
		must(!frame->user_count);
	if (frame->kind == CLIENT_MESSAGE)
		check_message(frame, &out);
	if (frame->kind == CLIENT_EDIT || frame->kind == CLIENT_DELETE ||
	    frame->kind == CLIENT_REACT)
		check_change(frame, &out);
	must((frame->kind >= CLIENT_DELIVERED && frame->kind <= CLIENT_REACT) ==
	     is_id(frame->seq));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct client_frame frame;
	struct frame_fault fault;

	if (frame_decode(span_make(data, size), &json, &frame, &fault) == ST_OK)
		check_frame(&frame);
	else
		check_fault(&fault);
	return 0;
}
