#include "persistence-service/save/batch/inflight_batch.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"

#include <assert.h>

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
};

struct inflight_batches {
	struct kafka_group *group;
	struct inflight_batch ring[INFLIGHT_BATCHES_MAX]; /* by number */
	uint64_t oldest;
	uint64_t next;
};

struct inflight_batches *inflight_batches_create(struct kafka_group *group)
{
	struct inflight_batches *batches = mem_new(sizeof(*batches));

	batches->group = group;
	return batches;
}

void inflight_batches_destroy(struct inflight_batches **batches)
{
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
	for (unsigned i = 0; i < batch->count; i++)
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

void inflight_batches_mark_done(struct inflight_batches *batches)
{
	while (inflight_batches_count(batches)) {
		const struct inflight_batch *inflight =
			batch_at(batches, batches->oldest);

		if (!inflight->closed || inflight->unconfirmed)
			return;
		FAULT_POINT("offsets.before");
		mark_positions(batches, inflight);
		FAULT_POINT("offsets.after");
		batches->oldest++;
	}
}
