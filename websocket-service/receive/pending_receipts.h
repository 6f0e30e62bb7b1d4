/*
 * receipts - what users have got and read, on its way to message_save.
 *
 * Of a user in a conversation one record at a time is under way. What is said
 * meanwhile only raises the numbers that go next: however many receipts come,
 * they leave at the pace at which Kafka answers, without a timer. A record
 * that Kafka did not take is put back and tried again.
 *
 * Bounds     PENDING_RECEIPTS_MAX pairs of user and conversation under way; one
 * more is answered with `unavailable`. Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_PENDING_RECEIPTS_H
#define PARLEY_WEBSOCKET_RECEIVE_PENDING_RECEIPTS_H

#include "common/base/status.h"
#include "common/wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PENDING_RECEIPTS_MAX = 50000,
	PENDING_RECEIPTS_RETRY_MS = 200,
	PENDING_RECEIPTS_RETRIES_PER_TICK = 1000,
};

struct pending_receipts;
struct save_records;

struct pending_receipts *pending_receipts_create(struct save_records *records,
                                                 uint32_t max);
void pending_receipts_destroy(struct pending_receipts **receipts);
/* `delivered` or `read` of a user. False: there are too many under way. */
bool pending_receipts_take(struct pending_receipts *receipts, uint64_t user,
                           const struct client_frame *frame);
/* Kafka's answer for the record under that number. */
void pending_receipts_answered(struct pending_receipts *receipts,
                               uint64_t number, enum status status);
/* Every some 50 ms. */
void pending_receipts_tick(struct pending_receipts *receipts);
/* Pairs of which something is not in the log yet. */
uint32_t pending_receipts_count(const struct pending_receipts *receipts);

#endif
