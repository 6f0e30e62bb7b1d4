#include "persistence-service/save/inflight_batch.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/service/fault_point.h"

#include <assert.h>

struct mark {
	int32_t partition;
	int64_t offset; /* the highest of the batch */
};

struct flight {
	uint64_t began_ms;
	unsigned out; /* records on their way */
	bool closed;
	unsigned generation;
	struct mark marks[BATCH_MOST];
	unsigned mark_count;
};

struct flights {
	struct kafka_group *group;
	struct flight flight[FLIGHTS_MAX]; /* a ring by number */
	uint64_t oldest;
	uint64_t next;
};

struct flights *flights_create(struct kafka_group *group)
{
	struct flights *flights = mem_new(sizeof(*flights));

	flights->group = group;
	return flights;
}

void flights_destroy(struct flights **flights)
{
	mem_free(flights);
}

unsigned flights_count(const struct flights *flights)
{
	return (unsigned)(flights->next - flights->oldest);
}

static struct flight *flight_at(struct flights *flights, uint64_t number)
{
	assert(number >= flights->oldest && number < flights->next);
	return &flights->flight[number % FLIGHTS_MAX];
}

uint64_t flights_oldest_ms(const struct flights *flights)
{
	if (flights_count(flights) == 0)
		return 0;
	return flights->flight[flights->oldest % FLIGHTS_MAX].began_ms;
}

static void mark(struct flight *flight, const struct kafka_message *message)
{
	int32_t partition = kafka_message_partition(message);
	unsigned i = 0;

	while (i < flight->mark_count &&
	       flight->marks[i].partition != partition)
		i++;
	if (i == flight->mark_count)
		flight->mark_count++;
	flight->marks[i] =
		(struct mark){partition, kafka_message_offset(message)};
}

uint64_t flights_open(struct flights *flights, const struct batch *batch)
{
	uint64_t number = flights->next++;
	struct flight *flight = flight_at(flights, number);

	assert(flights_count(flights) <= FLIGHTS_MAX);
	flight->began_ms = clock_mono_ms();
	flight->out = 0;
	flight->closed = false;
	flight->generation = kafka_group_generation(flights->group);
	flight->mark_count = 0;
	for (unsigned i = 0; i < batch->count; i++)
		mark(flight, batch->entries[i].message);
	return number;
}

void flights_sent(struct flights *flights, uint64_t number)
{
	flight_at(flights, number)->out++;
}

void flights_landed(struct flights *flights, uint64_t number)
{
	assert(flight_at(flights, number)->out > 0);
	flight_at(flights, number)->out--;
}

void flights_close(struct flights *flights, uint64_t number)
{
	flight_at(flights, number)->closed = true;
}

/*
 * After a rebalance the partition is read again from what was committed: what
 * was done before it comes again, and is marked then.
 */
static void mark_done(struct flights *flights, const struct flight *flight)
{
	if (flight->generation != kafka_group_generation(flights->group))
		return;
	for (unsigned i = 0; i < flight->mark_count; i++)
		kafka_group_done(flights->group, flight->marks[i].partition,
		                 flight->marks[i].offset);
}

void flights_settle(struct flights *flights)
{
	while (flights_count(flights)) {
		struct flight *flight = flight_at(flights, flights->oldest);

		if (!flight->closed || flight->out)
			return;
		FAULT_POINT("offsets.before");
		mark_done(flights, flight);
		FAULT_POINT("offsets.after");
		flights->oldest++;
	}
}
