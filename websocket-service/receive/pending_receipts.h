/*
 * pending_receipts - the receipts (`delivered`, `read`) of users on their way
 * to message_save, coalesced.
 *
 * For each user and conversation one record is under way at a time. Receipts
 * that arrive meanwhile only raise the seq of the next record. So records leave
 * at the pace at which Kafka acknowledges them, however many receipts arrive,
 * and no timer is needed. A record that Kafka does not accept is put back and
 * retried.
 *
 * Until the key of its conversation is known (conversation_keys) a receipt
 * waits, also while persistence is away.
 *
 * Bounds     PENDING_RECEIPTS_MAX pairs of user and conversation under way; a
 *            receipt for another pair is answered with `unavailable`.
 * Threads    the loop's.
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
	PENDING_RECEIPTS_ASK_MS = 3000, /* from one query for a key to the next
	                                 */
};

struct conversation_keys;
struct pending_receipts;
struct save_records;

struct pending_receipts *pending_receipts_create(struct save_records *records,
                                                 struct conversation_keys *keys,
                                                 uint32_t max);
void pending_receipts_destroy(struct pending_receipts **receipts);
/* Takes a `delivered` or `read` frame. False: too many are under way. */
bool pending_receipts_take(struct pending_receipts *receipts, uint64_t user,
                           const struct client_frame *frame);
/* Kafka's acknowledgement for the record with that number. */
void pending_receipts_acknowledged(struct pending_receipts *receipts,
                                   uint64_t number, enum status status);
/* An answer about the key of a conversation has arrived. */
void pending_receipts_key_known(struct pending_receipts *receipts,
                                uint64_t conversation);
/* Call it about every 50 ms. */
void pending_receipts_tick(struct pending_receipts *receipts);
/* Pairs with a receipt that is not in the log yet. */
uint32_t pending_receipts_count(const struct pending_receipts *receipts);

#endif
