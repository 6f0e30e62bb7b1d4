/*
 * kafka_resend - the records that a dead producer handle left behind, kept
 * until a new one has taken them, and the answers found meanwhile.
 *
 * Belongs to kafka_producer.c; one thread.
 */
#ifndef PARLEY_IO_KAFKA_RESEND_H
#define PARLEY_IO_KAFKA_RESEND_H

#include "common/io/kafka/private.h"

struct kafka_resend;

struct kafka_resend *kafka_resend_create(void);
void kafka_resend_destroy(struct kafka_resend **resend);

/* Copies the record out of its failed report. */
void kafka_resend_add(struct kafka_resend *resend,
                      const rd_kafka_message_t *report, int32_t partition,
                      uint64_t tag, uint64_t serial);
/* Records added and not sent again, and answers not given yet. */
unsigned kafka_resend_count(const struct kafka_resend *resend);

void kafka_resend_sort(struct kafka_resend *resend); /* by serial */
/* The next of them; its spans live until kafka_resend_sent(). */
bool kafka_resend_next(struct kafka_resend *resend,
                       struct kafka_record *ret_record, uint64_t *ret_tag,
                       uint64_t *ret_serial);
void kafka_resend_sent(struct kafka_resend *resend); /* all were read */

/* Answers, to be given by the next poll in the order of their finding. */
void kafka_resend_settle(struct kafka_resend *resend, uint64_t tag,
                         enum status status);
bool kafka_resend_settled(struct kafka_resend *resend, uint64_t *ret_tag,
                          enum status *ret_status);

#endif
