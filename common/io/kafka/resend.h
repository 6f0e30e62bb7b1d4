/*
 * kafka_resend - the records of a dead producer handle, kept until a new handle
 * has taken them, and the outcomes that are known but not yet reported.
 *
 * Threads    one; a part of kafka_producer.
 */
#ifndef PARLEY_IO_KAFKA_RESEND_H
#define PARLEY_IO_KAFKA_RESEND_H

#include "common/io/kafka/inflight.h"
#include "common/io/kafka/private.h"

struct kafka_resend;

struct kafka_resend *kafka_resend_create(void);
void kafka_resend_destroy(struct kafka_resend **resend);

/* Copies the record out of its failed report. */
void kafka_resend_add(struct kafka_resend *resend,
                      const rd_kafka_message_t *report,
                      const struct kafka_inflight_record *sent);
/* Records not sent again, plus outcomes not reported yet. */
unsigned kafka_resend_count(const struct kafka_resend *resend);

void kafka_resend_sort(struct kafka_resend *resend); /* by serial */
/* The next record to send; its spans live until kafka_resend_sent(). */
bool kafka_resend_next(struct kafka_resend *resend,
                       struct kafka_record *ret_record, uint64_t *ret_tag,
                       uint64_t *ret_serial);
void kafka_resend_sent(struct kafka_resend *resend); /* frees the records */

/* Outcomes: the next poll reports them, in this order. */
void kafka_resend_settle(struct kafka_resend *resend,
                         const struct kafka_report *report);
bool kafka_resend_settled(struct kafka_resend *resend,
                          struct kafka_report *ret_report);

#endif
