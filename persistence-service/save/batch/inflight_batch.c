#include "persistence-service/save/batch/inflight_batch.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"
#include "persistence-service/outbox_publisher.h"

#include <assert.h>

enum { ROWS_STEP = 64 };

struct position {
	int32_t partition;
	int64_t offset; /* the highest of the batch */
};

struct inflight_batch {
	uint64_t began_ms;
	unsigned unconfirmed; /* records */
	bool closed;
	unsigned generation; /* of the group when the batch was opened */
	struct position positions[BATCH_RECORDS_MAX];
	unsigned position_count;
	uint64_t *rows; /* of the outbox; kept for the next batch */
	unsigned row_count, row_room;
	unsigned rows_removed; /* at the front */
};

struct inflight_batches {
	struct kafka_group *group;
	struct outbox_publisher *outbox_publisher;
	struct inflight_batch ring[INFLIGHT_BATCHES_MAX]; /* by number */
	uint64_t oldest;
	uint64_t next;
};

struct inflight_batches *
inflight_batches_create(struct kafka_group *group,
                        struct outbox_publisher *outbox_publisher)
{
	struct inflight_batches *batches = mem_new(sizeof(*batches));

	batches->group = group;
	batches->outbox_publisher = outbox_publisher;
	return batches;
}

void inflight_batches_destroy(struct inflight_batches **batches)
{
	if (!*batches)
		return;
	for (unsigned i = 0; i < INFLIGHT_BATCHES_MAX; i++)
		mem_free(&(*batches)->ring[i].rows);
	mem_free(batches);
}

unsigned inflight_batches_count(const struct inflight_batches *batches)
{
	return (unsigned)(batches->next - batches->oldest);
}

static struct inflight_batch *batch_at(struct inflight_batches *batches,
                                       uint64_t number)
{
	assert(number >= batches->oldest && number < batches->next);
	return &batches->ring[number % INFLIGHT_BATCHES_MAX];
}

uint64_t inflight_batches_oldest_ms(const struct inflight_batches *batches)
{
	if (inflight_batches_count(batches) == 0)
		return 0;
	return batches->ring[batches->oldest % INFLIGHT_BATCHES_MAX].began_ms;
}

static void add_position(struct inflight_batch *inflight,
                         const struct kafka_message *message)
{
	int32_t partition = kafka_message_partition(message);
	unsigned i = 0;

	while (i < inflight->position_count &&
	       inflight->positions[i].partition != partition)
		i++;
	if (i == inflight->position_count)
		inflight->position_count++;
	inflight->positions[i] =
		(struct position){partition, kafka_message_offset(message)};
}

uint64_t inflight_batches_open(struct inflight_batches *batches,
                               const struct batch *batch)
{
	uint64_t number = batches->next++;
	struct inflight_batch *inflight = batch_at(batches, number);

	assert(inflight_batches_count(batches) <= INFLIGHT_BATCHES_MAX);
	inflight->began_ms = clock_mono_ms();
	inflight->unconfirmed = 0;
	inflight->closed = false;
	inflight->generation = kafka_group_generation(batches->group);
	inflight->position_count = 0;
	inflight->row_count = inflight->rows_removed = 0;
	for (unsigned i = 0; batch && i < batch->count; i++)
		add_position(inflight, batch->entries[i].message);
	return number;
}

void inflight_batches_record_sent(struct inflight_batches *batches,
                                  uint64_t number)
{
	batch_at(batches, number)->unconfirmed++;
}

void inflight_batches_record_confirmed(struct inflight_batches *batches,
                                       uint64_t number)
{
	assert(batch_at(batches, number)->unconfirmed > 0);
	batch_at(batches, number)->unconfirmed--;
}

void inflight_batches_row_sent(struct inflight_batches *batches,
                               uint64_t number, uint64_t row)
{
	struct inflight_batch *inflight = batch_at(batches, number);

	if (inflight->row_count == inflight->row_room) {
		inflight->row_room += ROWS_STEP;
		inflight->rows = mem_resize(
			inflight->rows, inflight->row_room * sizeof(uint64_t));
	}
	inflight->rows[inflight->row_count++] = row;
}

void inflight_batches_close(struct inflight_batches *batches, uint64_t number)
{
	batch_at(batches, number)->closed = true;
}

/*
 * After a rebalance the partition is read again from the committed offset. The
 * records that were done before it come again and are marked then.
 */
static void mark_positions(struct inflight_batches *batches,
                           const struct inflight_batch *inflight)
{
	if (inflight->generation != kafka_group_generation(batches->group))
		return;
	for (unsigned i = 0; i < inflight->position_count; i++)
		kafka_group_store_offset(batches->group,
		                         inflight->positions[i].partition,
		                         inflight->positions[i].offset);
}

/* False: not all yet. */
static bool remove_rows(struct inflight_batches *batches,
                        struct inflight_batch *inflight)
{
	if (inflight->rows_removed == inflight->row_count)
		return true;
	FAULT_POINT("rows.before");
	while (inflight->rows_removed < inflight->row_count) {
		uint64_t row = inflight->rows[inflight->rows_removed];

		if (!outbox_publisher_remove(batches->outbox_publisher, row))
			return false;
		inflight->rows_removed++;
	}
	FAULT_POINT("rows.after");
	return true;
}

void inflight_batches_mark_done(struct inflight_batches *batches)
{
	while (inflight_batches_count(batches)) {
		struct inflight_batch *inflight =
			batch_at(batches, batches->oldest);

		if (!inflight->closed || inflight->unconfirmed)
			return;
		if (!remove_rows(batches, inflight))
			return;
		FAULT_POINT("offsets.before");
		mark_positions(batches, inflight);
		FAULT_POINT("offsets.after");
		batches->oldest++;
	}
}
