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

static void check_frame(const struct client_frame *frame)
{
	struct buf out CLEANUP(buf_free) = BUF(FRAME_OUT_MAX);
	struct saved_message saved = {
		.id = JSON_ID_MAX,
		.conversation = JSON_ID_MAX,
		.seq = JSON_ID_MAX,
		.user_from = 1,
		.user_to = frame->user_to,
		.uuid = frame->uuid,
		.message = frame->message,
	};

	must(frame->message.len >= 1);
	must(frame->message.len <= MESSAGE_TEXT_MAX);
	must(utf8_valid(frame->message));
	must(frame->user_to >= 1 && frame->user_to <= JSON_ID_MAX);
	frame_message(&out, &saved);
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
