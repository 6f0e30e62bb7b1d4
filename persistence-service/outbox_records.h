/*
 * outbox_records - turns a row of the outbox into records for Kafka: one for
 * each partition that has one of its users, or, for a room, one for every
 * partition.
 */
#ifndef PARLEY_PERSISTENCE_OUTBOX_RECORDS_H
#define PARLEY_PERSISTENCE_OUTBOX_RECORDS_H

#include "common/io/kafka/kafka.h"
#include "persistence-service/outbox.h"
#include "persistence-service/settings.h"

/* Called for each record. A status other than ST_OK ends the row. */
typedef enum status outbox_records_send(void *context,
                                        const struct kafka_record *record);

/* ST_INVALID: the row is malformed and nothing was sent. */
MUST_CHECK enum status outbox_records_each(const struct settings *settings,
                                           const struct outbox_row *row,
                                           outbox_records_send *send,
                                           void *context);

#endif
