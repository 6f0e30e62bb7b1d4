#include "persistence-service/save/batch/batch.h"

#include "common/base/buf.h"
#include "common/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ENTRIES = 4, GROUP = 17, OTHER = 18 };

static struct batch *batch;

static int make_batch(void **state)
{
	(void)state;
	batch = batch_create(ENTRIES);
	return 0;
}

static int destroy_batch(void **state)
{
	(void)state;
	batch_destroy(&batch);
	return 0;
}

/* --- where an event stands among the entries ----------------------------- */
struct given {
	enum outcome outcome;
	enum save_kind kind;
	uint64_t conversation;
	uint64_t seq;
};

#define NEW(conversation, seq) \
	{ \
		OUTCOME_SAVED, SAVE_MESSAGE, conversation, seq \
	}
#define OLD(seq) \
	{ \
		OUTCOME_DUPLICATE, SAVE_MESSAGE, GROUP, seq \
	}
#define EDIT(seq) \
	{ \
		OUTCOME_SAVED, SAVE_EDIT, GROUP, seq \
	}
#define REFUSED \
	{ \
		OUTCOME_REFUSED, SAVE_MESSAGE, GROUP, 1 \
	}
#define ANNOUNCED \
	{ \
		OUTCOME_DONE, SAVE_MEMBERSHIP, GROUP, 0 \
	}
#define RECEIPT \
	{ \
		OUTCOME_NOTIFIED, SAVE_READ, GROUP, 20 \
	}

static void add_entry(const struct given *given)
{
	struct batch_entry *entry = &batch->entries[batch->count++];

	*entry = (struct batch_entry){.outcome = given->outcome,
	                              .record = {.kind = given->kind}};
	if (given->kind == SAVE_MESSAGE) {
		entry->saved.conversation = given->conversation;
		entry->saved.seq = given->seq;
	} else {
		entry->change.conversation = given->conversation;
		entry->change.seq = given->seq;
	}
}

static void add_event(uint64_t id, uint64_t conversation, const char *room)
{
	batch_add_pending_event(batch, &(struct outbox_row){
					       .id = id,
					       .kind = OUTBOX_EVENT,
					       .conversation = conversation,
					       .target = SPAN("1,2"),
					       .room = span_of(room),
					       .body = SPAN("{}"),
				       });
}

/* The event is change 14 of the group. */
static void an_event_stands_in_the_order_of_seq(void **state)
{
	static const struct {
		const char *what;
		struct given entries[ENTRIES];
		unsigned count, place;
	} rows[] = {
		{"announced alone", {ANNOUNCED}, 1, 0},
		{"before later messages",
	         {ANNOUNCED, NEW(GROUP, 15), NEW(GROUP, 16)},
	         3,
	         0},
		{"after earlier messages",
	         {NEW(GROUP, 12), NEW(GROUP, 13), ANNOUNCED},
	         3,
	         2},
		{"between messages of two transactions",
	         {NEW(GROUP, 12), NEW(GROUP, 13), NEW(GROUP, 15)},
	         3,
	         2},
		{"messages of other conversations do not count",
	         {NEW(OTHER, 2), NEW(GROUP, 15), NEW(OTHER, 30)},
	         3,
	         0},
		{"before what another process has saved",
	         {OLD(12), OLD(13), NEW(GROUP, 15)},
	         3,
	         0},
		{"before an edit, of whatever message",
	         {EDIT(3), EDIT(13)},
	         2,
	         0},
		{"after a message that follows an edit",
	         {EDIT(3), NEW(GROUP, 13), EDIT(12)},
	         3,
	         2},
		{"refusals and receipts do not count",
	         {REFUSED, RECEIPT, REFUSED},
	         3,
	         0},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned place;

		batch->count = 0;
		batch_clear_pending_events(batch);
		for (unsigned at = 0; at < rows[i].count; at++)
			add_entry(&rows[i].entries[at]);
		add_event(1, GROUP, "17:14:=");
		place = batch_place_of(batch, batch->pending_events);
		if (place != rows[i].place)
			fail_msg("%s: %u", rows[i].what, place);
	}
	batch->count = 0;
}

/* It can never be sent, and is removed. */
static void a_malformed_row_comes_first(void **state)
{
	(void)state;
	add_entry(&(struct given)NEW(GROUP, 1));
	add_event(1, GROUP, "no change");
	assert_int_equal(batch_place_of(batch, batch->pending_events), 0);
	batch->count = 0;
}

static void a_row_is_added_once(void **state)
{
	(void)state;
	add_event(1, GROUP, "17:3:=");
	add_event(2, GROUP, "17:4:-5");
	add_event(1, GROUP, "17:3:=");
	assert_int_equal(batch->pending_count, 2);
	assert_int_equal(batch->pending_events->seq, 3);
	assert_int_equal(batch->pending_events->next->seq, 4);
	batch_clear_pending_events(batch);
	assert_null(batch->pending_events);
	assert_int_equal(batch->pending_count, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, make_batch, destroy_batch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_stands_in_the_order_of_seq),
		TEST(a_malformed_row_comes_first),
		TEST(a_row_is_added_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
