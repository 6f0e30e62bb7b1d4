#include "websocket-service/receive/pending_receipts.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/kafka/kafka.h"
#include "websocket-service/gateway_metrics.h"
#include "websocket-service/member_key.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/save_records.h"
#include "websocket-service/socket/slot_map.h"

#include <uthash.h>
#include <utlist.h>

enum receipt_kind { DELIVERED, READ, RECEIPT_KINDS };

/* A conversation whose key is not known; very many members may wait for it. */
struct keyless {
	uint64_t conversation;
	struct pending_receipt *receipts;
	UT_hash_handle hh;
};

/* One member's receipts in one conversation. */
struct pending_receipt {
	/* In `retries` or `keyless`, or `next` in `spare`. */
	struct pending_receipt *prev, *next;
	/* Of the same conversation, in `keyless`. */
	struct pending_receipt *of_prev, *of_next;
	struct member_key member;
	uint64_t user_to; /* the other user of a pair; 0: not a pair */
	uint64_t number;
	uint64_t wanted_seq[RECEIPT_KINDS]; /* to send next; 0: none */
	uint64_t sent_seq;      /* under way; 0: none, it is in `retries` */
	enum receipt_kind kind; /* of sent_seq */
	uint64_t retry_ms; /* in `keyless`: when the key is asked for again */
	uint64_t asked;    /* in `keyless`: as conversation_keys_ask() says */
	UT_hash_handle hh;
};

struct pending_receipts {
	struct save_records *records;
	struct conversation_keys *keys;
	struct slot_map *by_number;
	struct pending_receipt *by_member;
	struct pending_receipt *retries; /* the earliest first */
	struct pending_receipt *keyless; /* their keys are not known */
	struct keyless *conversations;   /* of these */
	struct pending_receipt *spare;   /* allocated and unused */
};

struct pending_receipts *pending_receipts_create(struct save_records *records,
                                                 struct conversation_keys *keys,
                                                 uint32_t max)
{
	struct pending_receipts *receipts = mem_new(sizeof(*receipts));

	receipts->records = records;
	receipts->keys = keys;
	receipts->by_number = slot_map_create(max);
	return receipts;
}

static void drop_keyless(struct pending_receipts *receipts,
                         struct keyless *keyless)
{
	HASH_DEL(receipts->conversations, keyless);
	mem_free(&keyless);
}

void pending_receipts_destroy(struct pending_receipts **receipts)
{
	struct pending_receipt *receipt, *next;

	if (!*receipts)
		return;
	HASH_ITER (hh, (*receipts)->by_member, receipt, next) {
		HASH_DEL((*receipts)->by_member, receipt);
		mem_free(&receipt);
	}
	LL_FOREACH_SAFE ((*receipts)->spare, receipt, next)
		mem_free(&receipt);
	while ((*receipts)->conversations)
		drop_keyless(*receipts, (*receipts)->conversations);
	slot_map_destroy(&(*receipts)->by_number);
	mem_free(receipts);
}

uint32_t pending_receipts_count(const struct pending_receipts *receipts)
{
	return slot_map_count(receipts->by_number);
}

/* NULL when the map is full. */
static struct pending_receipt *make(struct pending_receipts *receipts,
                                    const struct member_key *member)
{
	struct pending_receipt *receipt = receipts->spare;
	uint64_t number;

	if (receipt)
		LL_DELETE(receipts->spare, receipt);
	else
		receipt = mem_new(sizeof(*receipt));
	number = slot_map_add(receipts->by_number, receipt);
	if (!number) {
		LL_PREPEND(receipts->spare, receipt);
		return NULL;
	}
	*receipt =
		(struct pending_receipt){.member = *member, .number = number};
	HASH_ADD(hh, receipts->by_member, member, sizeof(receipt->member),
	         receipt);
	return receipt;
}

static void release(struct pending_receipts *receipts,
                    struct pending_receipt *receipt)
{
	HASH_DEL(receipts->by_member, receipt);
	slot_map_remove(receipts->by_number, receipt->number);
	LL_PREPEND(receipts->spare, receipt);
}

/* Coalesces: only the highest seq of each kind is sent. */
static void raise_seq(struct pending_receipt *receipt, enum receipt_kind kind,
                      uint64_t seq)
{
	bool under_way = receipt->sent_seq && receipt->kind == kind &&
	                 receipt->sent_seq >= seq;

	if (!under_way && receipt->wanted_seq[kind] < seq)
		receipt->wanted_seq[kind] = seq;
}

/* Kafka did not accept the record: retry later, with the receipts until then.
 */
static void put_back(struct pending_receipts *receipts,
                     struct pending_receipt *receipt)
{
	uint64_t seq = receipt->sent_seq;

	receipt->sent_seq = 0;
	raise_seq(receipt, receipt->kind, seq);
	receipt->retry_ms = clock_mono_ms() + PENDING_RECEIPTS_RETRY_MS;
	DL_APPEND(receipts->retries, receipt);
	metric_count(&gateway_metrics.receipts_retried, 1);
}

/*
 * Sends `delivered` before `read`. False when it was put back. At least one
 * kind has a wanted seq.
 */
static bool send_next(struct pending_receipts *receipts,
                      struct pending_receipt *receipt)
{
	static const enum save_kind kinds[] = {
		[DELIVERED] = SAVE_DELIVERED, [READ] = SAVE_READ};
	enum receipt_kind kind =
		receipt->wanted_seq[DELIVERED] ? DELIVERED : READ;
	struct save_record record = {
		.kind = kinds[kind],
		.sender = receipt->member.user,
		.user_to = receipt->user_to,
		.conversation = receipt->member.conversation,
		.seq = receipt->wanted_seq[kind],
	};

	receipt->kind = kind;
	receipt->sent_seq = receipt->wanted_seq[kind];
	receipt->wanted_seq[kind] = 0;
	if (save_records_produce(receipts->records, &record, SPAN_NONE,
	                         save_records_tag(SAVE_RECORDS_OF_RECEIPTS,
	                                          receipt->number)) == ST_OK)
		return true;
	put_back(receipts, receipt);
	return false;
}

/* --- keys ---------------------------------------------------------------- */

static struct keyless *find_keyless(const struct pending_receipts *receipts,
                                    uint64_t conversation)
{
	struct keyless *keyless;

	HASH_FIND(hh, receipts->conversations, &conversation,
	          sizeof(conversation), keyless);
	return keyless;
}

static void join_keyless(struct pending_receipts *receipts,
                         struct pending_receipt *receipt)
{
	uint64_t conversation = receipt->member.conversation;
	struct keyless *keyless = find_keyless(receipts, conversation);

	if (!keyless) {
		keyless = mem_new(sizeof(*keyless));
		keyless->conversation = conversation;
		HASH_ADD(hh, receipts->conversations, conversation,
		         sizeof(conversation), keyless);
	}
	DL_APPEND2(keyless->receipts, receipt, of_prev, of_next);
}

/* When too many keys are asked for, this one is asked for soon. */
static void ask_key(struct pending_receipts *receipts,
                    struct pending_receipt *receipt, uint64_t now_ms)
{
	receipt->asked =
		conversation_keys_ask(receipts->keys, receipt->member.user,
	                              receipt->member.conversation);
	if (receipt->asked) {
		receipt->retry_ms = now_ms + PENDING_RECEIPTS_ASK_MS;
		DL_APPEND(receipts->keyless, receipt);
	} else {
		receipt->retry_ms = now_ms + PENDING_RECEIPTS_RETRY_MS;
		DL_PREPEND(receipts->keyless, receipt);
	}
}

/* A stranger to the pair gets the answer of persistence: no such conversation.
 */
static void send_with_key(struct pending_receipts *receipts,
                          struct pending_receipt *receipt,
                          const struct pair *pair)
{
	if (pair_has(pair, receipt->member.user))
		receipt->user_to = pair_other(pair, receipt->member.user);
	(void)send_next(receipts, receipt);
}

void pending_receipts_key_known(struct pending_receipts *receipts,
                                uint64_t conversation)
{
	struct keyless *keyless = find_keyless(receipts, conversation);
	struct pending_receipt *receipt, *next;
	struct pair pair;

	if (!keyless)
		return;
	DL_FOREACH_SAFE2(keyless->receipts, receipt, next, of_next)
	{
		if (!conversation_keys_find(receipts->keys, conversation,
		                            receipt->asked, &pair))
			continue;
		DL_DELETE2(keyless->receipts, receipt, of_prev, of_next);
		DL_DELETE(receipts->keyless, receipt);
		send_with_key(receipts, receipt, &pair);
	}
	if (!keyless->receipts)
		drop_keyless(receipts, keyless);
}

static void ask_again(struct pending_receipts *receipts, uint64_t now_ms)
{
	for (unsigned i = 0; i < PENDING_RECEIPTS_RETRIES_PER_TICK; i++) {
		struct pending_receipt *receipt = receipts->keyless;

		if (!receipt || receipt->retry_ms > now_ms)
			break;
		DL_DELETE(receipts->keyless, receipt);
		ask_key(receipts, receipt, now_ms);
	}
}

bool pending_receipts_take(struct pending_receipts *receipts, uint64_t user,
                           const struct client_frame *frame)
{
	enum receipt_kind kind = frame->kind == CLIENT_READ ? READ : DELIVERED;
	struct member_key member = member_key_make(user, frame->conversation);
	struct pending_receipt *receipt;
	struct pair pair;

	metric_count(&gateway_metrics.receipts, 1);
	HASH_FIND(hh, receipts->by_member, &member, sizeof(member), receipt);
	if (receipt) {
		raise_seq(receipt, kind, frame->seq);
		return true;
	}
	receipt = make(receipts, &member);
	if (!receipt)
		return false;
	raise_seq(receipt, kind, frame->seq);
	if (conversation_keys_find(receipts->keys, frame->conversation, 0,
	                           &pair)) {
		send_with_key(receipts, receipt, &pair);
		return true;
	}
	join_keyless(receipts, receipt);
	ask_key(receipts, receipt, clock_mono_ms());
	return true;
}

void pending_receipts_acknowledged(struct pending_receipts *receipts,
                                   uint64_t number, enum status status)
{
	struct pending_receipt *receipt =
		slot_map_get(receipts->by_number, number);

	if (!receipt || !receipt->sent_seq)
		return;
	/* A record that Kafka never accepts would be tried for ever. */
	if (status != ST_OK && kafka_verdict(status) != KAFKA_RECORD_REFUSED) {
		put_back(receipts, receipt);
		return;
	}
	receipt->sent_seq = 0;
	if (receipt->wanted_seq[DELIVERED] || receipt->wanted_seq[READ])
		(void)send_next(receipts, receipt);
	else
		release(receipts, receipt);
}

void pending_receipts_tick(struct pending_receipts *receipts)
{
	uint64_t now_ms = clock_mono_ms();

	ask_again(receipts, now_ms);
	for (unsigned i = 0; i < PENDING_RECEIPTS_RETRIES_PER_TICK; i++) {
		struct pending_receipt *receipt = receipts->retries;

		if (!receipt || receipt->retry_ms > now_ms)
			break;
		DL_DELETE(receipts->retries, receipt);
		/* When Kafka refuses one, the others need no try. */
		if (!send_next(receipts, receipt))
			break;
	}
	metric_set(&gateway_metrics.receipts_unsettled,
	           pending_receipts_count(receipts));
}
