/*
 * late_broker - an address of the cluster of KAFKA_BROKERS at which nothing
 * listens until late_broker_open(): a producer that starts there gets no
 * confirmation before.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TESTS_LATE_BROKER_H
#define PARLEY_PERSISTENCE_SAVE_TESTS_LATE_BROKER_H

/* "127.0.0.1:…" */
const char *late_broker_address(void);
/* A thread passes bytes on between its clients and `broker`. */
void late_broker_open(const char *broker);
void late_broker_close(void);

#endif
