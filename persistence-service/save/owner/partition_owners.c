#include "persistence-service/save/owner/partition_owners.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

#include <stdlib.h>

struct partition_owners {
	struct sql *sql;
	struct span topic;
	struct refusals *refusals;
	uint64_t *epochs; /* by partition; 0: not claimed */
	unsigned room;
	/* The partitions of a batch or of an attempt, ascending. */
	unsigned partitions[BATCH_RECORDS_MAX];
	unsigned count;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, 1) + 1];
};

static const char raise_epoch[] =
	"INSERT INTO save_owners (topic, kafka_partition, epoch)"
	" VALUES (?,?,1) ON DUPLICATE KEY UPDATE epoch = epoch + 1";
static const char read_epoch[] = "SELECT epoch FROM save_owners"
				 " WHERE topic = ? AND kafka_partition = ?";
static struct sql_bulk read_epochs = {
	.head = "SELECT CAST(kafka_partition AS UNSIGNED), epoch"
		" FROM save_owners WHERE kafka_partition IN (",
	.row = "?",
	.between = ",",
	.tail = ") AND topic = ? ORDER BY kafka_partition LOCK IN SHARE MODE",
	.row_values = 1,
	.tail_values = 1,
};

struct partition_owners *partition_owners_create(struct sql *sql,
                                                 const char *topic,
                                                 struct refusals *refusals)
{
	struct partition_owners *o = mem_new(sizeof(*o));

	o->sql = sql;
	o->topic = span_of(topic);
	o->refusals = refusals;
	return o;
}

void partition_owners_destroy(struct partition_owners **owners)
{
	if (!*owners)
		return;
	mem_free(&(*owners)->epochs);
	mem_free(owners);
}

void partition_owners_forget(struct partition_owners *o)
{
	for (unsigned i = 0; i < o->room; i++)
		o->epochs[i] = 0;
	refusals_evict_all(o->refusals);
}

/* --- the partitions of some records -------------------------------------- */
static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static void add_partition(struct partition_owners *o, int32_t partition)
{
	for (unsigned i = 0; i < o->count; i++)
		if (o->partitions[i] == (unsigned)partition)
			return;
	o->partitions[o->count++] = (unsigned)partition;
}

static void collect(struct partition_owners *o, const struct batch *batch,
                    unsigned from, unsigned to)
{
	o->count = 0;
	for (unsigned i = from; i < to; i++)
		if (batch->entries[i].partition >= 0)
			add_partition(o, batch->entries[i].partition);
	if (o->count)
		qsort(o->partitions, o->count, sizeof(*o->partitions),
		      ascending);
}

static void make_room(struct partition_owners *o, unsigned room)
{
	if (room <= o->room)
		return;
	o->epochs = mem_resize(o->epochs, room * sizeof(*o->epochs));
	for (unsigned i = o->room; i < room; i++)
		o->epochs[i] = 0;
	o->room = room;
}

/* --- claiming ------------------------------------------------------------ */
static enum status claim(struct partition_owners *o, unsigned partition,
                         uint64_t *ret_epoch)
{
	struct sql_value values[] = {sql_bytes(o->topic),
	                             sql_number(partition)};
	struct sql_value row;
	enum status status =
		sql_run(o->sql, raise_epoch, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_run(o->sql, read_epoch, values, ARRAY_LEN(values));
	if (status == ST_OK)
		status = sql_fetch(o->sql, &row, 1);
	if (status != ST_OK)
		return status;
	*ret_epoch = row.number;
	return refusals_load(o->refusals, partition);
}

/* Keeps the partitions that are not claimed yet. */
static void drop_claimed(struct partition_owners *o)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < o->count; i++)
		if (!o->epochs[o->partitions[i]])
			o->partitions[kept++] = o->partitions[i];
	o->count = kept;
}

enum status partition_owners_claim(struct partition_owners *o,
                                   const struct batch *batch)
{
	uint64_t epochs[BATCH_RECORDS_MAX];
	enum status status;

	collect(o, batch, 0, batch->count);
	if (o->count == 0)
		return ST_OK;
	make_room(o, o->partitions[o->count - 1] + 1);
	drop_claimed(o);
	if (o->count == 0)
		return ST_OK;
	status = sql_begin(o->sql);
	for (unsigned i = 0; i < o->count && status == ST_OK; i++)
		status = claim(o, o->partitions[i], &epochs[i]);
	if (status == ST_OK)
		status = sql_commit(o->sql);
	if (status != ST_OK) {
		sql_rollback(o->sql);
		return status;
	}
	for (unsigned i = 0; i < o->count; i++)
		o->epochs[o->partitions[i]] = epochs[i];
	return ST_OK;
}

/* --- checking ------------------------------------------------------------ */
/* Rows come in the order of the partitions; a row may be gone. */
static enum status compare(struct partition_owners *o)
{
	struct sql_value row[2];
	enum status status = ST_OK;
	unsigned at = 0;

	while (at < o->count) {
		status = sql_fetch(o->sql, row, 2);
		if (status != ST_OK)
			break;
		if (row[0].number != o->partitions[at] ||
		    row[1].number != o->epochs[o->partitions[at]])
			return ST_DENIED;
		at++;
	}
	return status == ST_NOT_FOUND ? ST_DENIED : status;
}

enum status partition_owners_check(struct partition_owners *o,
                                   const struct attempt *attempt)
{
	enum status status;

	collect(o, attempt->batch, attempt->from, attempt->to);
	if (o->count == 0)
		return ST_OK;
	for (unsigned i = 0; i < o->count; i++)
		o->values[i] = sql_number(o->partitions[i]);
	o->values[o->count] = sql_bytes(o->topic);
	status = sql_bulk_run(o->sql, &read_epochs, o->values, o->count);
	return status == ST_OK ? compare(o) : status;
}
