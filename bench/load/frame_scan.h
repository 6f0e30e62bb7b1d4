/*
 * frame_scan - extracts the few members of a server frame that a measurement
 * needs, in one pass and without a tree.
 *
 * It accepts members in any order and skips unknown ones. It does not validate
 * JSON: the server under test is our own.
 */
#ifndef PARLEY_BENCH_LOAD_FRAME_SCAN_H
#define PARLEY_BENCH_LOAD_FRAME_SCAN_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum frame_kind {
	FRAME_OTHER,
	FRAME_WELCOME,
	FRAME_ACCEPTED,
	FRAME_SAVED,
	FRAME_REFUSED, /* a state or an error frame */
	FRAME_MESSAGE,
};

struct scanned_frame {
	enum frame_kind kind;
	struct span uuid; /* not decoded; empty if there is none */
	struct span code;
	struct span message; /* the text, with its escape sequences */
	uint64_t seq;
};

/* False if the text is not a flat JSON object. */
bool frame_scan(struct span text, struct scanned_frame *ret_frame);

#endif
