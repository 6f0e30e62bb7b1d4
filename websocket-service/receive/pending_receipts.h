/*
 * receipts - what users have got and read, on its way to message_save.
 *
 * Of a user in a conversation one record at a time is under way. What is said
 * meanwhile only raises the numbers that go next: however many receipts come,
 * they leave at the pace at which Kafka answers, without a timer. A record
 * that Kafka did not take is put back and tried again.
 *
 * Bounds     RECEIPTS_MAX pairs of user and conversation under way; one more
 *            is answered with `unavailable`.
 * Threads    the loop's.
 */
#ifndef PARLEY_WEBSOCKET_RECEIVE_PENDING_RECEIPTS_H
#define PARLEY_WEBSOCKET_RECEIVE_PENDING_RECEIPTS_H

#include "common/base/status.h"
#include "common/wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	RECEIPTS_MAX = 50000,
	RECEIPTS_RETRY_MS = 200,
	RECEIPTS_RETRIES_PER_TICK = 1000,
};

struct receipts;
struct records;

struct receipts *receipts_create(struct records *records, uint32_t max);
void receipts_destroy(struct receipts **receipts);
/* `delivered` or `read` of a user. False: there are too many under way. */
bool receipts_take(struct receipts *receipts, uint64_t user,
                   const struct client_frame *frame);
/* Kafka's answer for the record under that number. */
void receipts_answered(struct receipts *receipts, uint64_t number,
                       enum status status);
/* Every some 50 ms. */
void receipts_tick(struct receipts *receipts);
/* Pairs of which something is not in the log yet. */
uint32_t receipts_count(const struct receipts *receipts);

#endif
