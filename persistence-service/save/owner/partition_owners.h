/*
 * partition_owners - which process may save the records of a partition: a fence
 * against a process that was stopped while its partitions moved.
 *
 * A process claims a partition before it saves the first record that it read
 * from it, and so raises the partition's epoch. Each transaction compares the
 * epochs of its partitions and locks them until it commits: a transaction of
 * the former owner commits before the claim, or not at all.
 *
 * Errors     those of sql.h.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_OWNER_PARTITION_OWNERS_H
#define PARLEY_PERSISTENCE_SAVE_OWNER_PARTITION_OWNERS_H

#include "common/io/sql/sql.h"
#include "persistence-service/save/batch/attempt.h"
#include "persistence-service/save/owner/refusals.h"

struct partition_owners;

struct partition_owners *partition_owners_create(struct sql *sql,
                                                 const char *topic,
                                                 struct refusals *refusals);
void partition_owners_destroy(struct partition_owners **owners);
/* Forgets all claims: the partitions were assigned anew. */
void partition_owners_forget(struct partition_owners *owners);

/*
 * In a transaction of its own, when needed: claims the partitions of the batch
 * that are not claimed yet, and loads their refusals.
 */
MUST_CHECK enum status partition_owners_claim(struct partition_owners *owners,
                                              const struct batch *batch);
/*
 * At the beginning of a transaction. ST_DENIED: another process has claimed a
 * partition of the attempt.
 */
MUST_CHECK enum status partition_owners_check(struct partition_owners *owners,
                                              const struct attempt *attempt);

#endif
