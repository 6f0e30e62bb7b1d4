/*
 * Any bytes from a socket: frame_decode() refuses them with a code and a text,
 * or returns a frame that keeps every promise of frame.h.
 */
#include "common/base/utf8.h"
#include "common/wire/frame.h"
#include "common/wire/identity.h"
#include "common/wire/reaction.h"
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

static void check_id(uint64_t id, bool there)
{
	must(there ? id >= 1 && id <= JSON_ID_MAX : id == 0);
}

static void check_text(struct span text, bool there, size_t max)
{
	must(there ? text.len >= 1 && text.len <= max : text.len == 0);
	must(utf8_valid(text));
}

/* The frame has the members of its kind and no others. */
static void check_members(const struct client_frame *frame)
{
	bool message = frame->kind == CLIENT_MESSAGE;
	bool typing = frame->kind == CLIENT_TYPING;
	bool presence = frame->kind == CLIENT_PRESENCE;
	bool auth = frame->kind == CLIENT_AUTH;
	bool text = message || frame->kind == CLIENT_EDIT;
	bool to_user = frame->user_to != 0;

	check_id(frame->user_to, message && to_user);
	check_id(frame->conversation,
	         !presence && !auth && !(message && to_user));
	check_id(frame->seq, !message && !typing && !presence && !auth);
	must(frame->reply_to == 0 || message);
	must(frame->reply_to <= JSON_ID_MAX);
	check_text(frame->message, text, MESSAGE_TEXT_MAX);
	check_text(frame->reaction, frame->kind == CLIENT_REACT, REACTION_MAX);
	must(!frame->remove || frame->kind == CLIENT_REACT);
	must(frame_has_uuid(frame) == (text || frame->kind == CLIENT_DELETE ||
	                               frame->kind == CLIENT_REACT));
	must(frame->user_count <= (presence ? PRESENCE_USERS_MAX : 0));
	must(identity_token_fits(frame->token) == auth);
	for (unsigned i = 0; i < frame->user_count; i++)
		check_id(frame_presence_user(frame, i), true);
}

static void write_message(struct buf *out, const struct client_frame *frame)
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

	frame_message(out, &saved);
}

static void write_change(struct buf *out, const struct client_frame *frame)
{
	struct saved_change saved = {
		.kind = frame->kind,
		.remove = frame->remove,
		.uuid = frame->uuid,
		.conversation = frame->conversation,
		.seq = frame->seq,
		.revision = JSON_ID_MAX,
		.user = 1,
		.message = frame->message,
		.reaction = frame->reaction,
	};

	frame_change(out, &saved);
}

static void check_frame(const struct client_frame *frame)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);

	check_members(frame);
	if (!frame_has_uuid(frame))
		return;
	if (frame->kind == CLIENT_MESSAGE)
		write_message(&out, frame);
	else
		write_change(&out, frame);
	must(!buf_overflowed(&out));
	must_be_json(buf_span(&out));
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
