/*
 * bench_scan - the few members of a server's frame that a measurement needs,
 * found in one pass without a tree.
 *
 * It takes members in any order and skips those it does not know. It is no
 * validator: what is measured is our own server.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_SCAN_H
#define PARLEY_BENCH_LOAD_BENCH_SCAN_H

#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum bench_kind {
	BENCH_OTHER,
	BENCH_WELCOME,
	BENCH_ACCEPTED,
	BENCH_SAVED,
	BENCH_REFUSED, /* a state or an error frame */
	BENCH_MESSAGE,
};

struct bench_frame {
	enum bench_kind kind;
	struct span uuid; /* as it stands there; empty without one */
	struct span code;
	struct span message; /* the text, escapes as they are */
	uint64_t seq;
};

/* False when it is no flat JSON object. */
bool bench_scan(struct span text, struct bench_frame *ret_frame);

#endif
