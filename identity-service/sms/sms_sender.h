/*
 * sms_sender - threads that send codes, so that a request does not wait for the
 * provider, and takes the same time for each phone.
 *
 * When their queue is full, a code is refused.
 *
 * Threads    sms_sender_hand_over(): any.
 */
#ifndef PARLEY_IDENTITY_SMS_SMS_SENDER_H
#define PARLEY_IDENTITY_SMS_SMS_SENDER_H

#include "identity-service/sms/sms_provider.h"

struct sms_sender;

/* `provider` must live as long as the sender. */
struct sms_sender *sms_sender_start(const struct sms_provider *provider);
/* Ends the sends under way, drops the waiting ones; accepts NULL. */
void sms_sender_stop(struct sms_sender **sender);
/* ST_BUSY: the queue is full. */
MUST_CHECK enum status sms_sender_hand_over(struct sms_sender *sender,
                                            const struct phone *phone,
                                            const struct code *code);

#endif
