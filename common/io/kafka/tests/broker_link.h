/*
 * broker_link - a network between this process and Kafka that a test can cut.
 *
 * Connections that open between broker_link_start() and broker_link_stop()
 * lead through a relay; older ones do not.
 */
#ifndef PARLEY_IO_KAFKA_TESTS_BROKER_LINK_H
#define PARLEY_IO_KAFKA_TESTS_BROKER_LINK_H

#include <stdbool.h>

enum link_state {
	LINK_WHOLE,
	/* Open connections are reset, new ones at once. */
	LINK_CUT,
	/* Connections open, but no byte passes; later all of them pass. */
	LINK_SILENT,
	/* Whole until a client asks for the end of a partition. */
	LINK_SILENT_AT_QUESTION,
};

/* `broker`: "127.0.0.1:<port>", the only broker of the cluster. */
void broker_link_start(const char *broker);
void broker_link_stop(void);
/* The state is in force when this returns. */
void broker_link_set(enum link_state state);
/* The link is silent, and a request or an answer waits in it. */
bool broker_link_holds_back(void);
/* How many connections were opened through the link so far. */
unsigned broker_link_opened(void);

#endif
