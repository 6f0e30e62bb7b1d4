/*
 * device - one device of a user: a socket that reconnects whenever it is lost.
 *
 * It behaves like a good client (docs/protocol/socket.md): it reconnects with
 * full jitter to any of the gateways, keeps a message under its uuid until it
 * is answered, reads the backlog after `welcome`, and fetches gaps. One
 * difference: it never sends again a message that was `accepted`, because the
 * server said that it is safe. It reports everything it sees to the ledger.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_DEVICE_H
#define PARLEY_TESTS_LEDGER_CLIENTS_DEVICE_H

#include "client-test/client/address.h"
#include "client-test/client/rest.h"
#include "tests/ledger/clients/timeline.h"
#include "tests/ledger/judge/ledger.h"

struct device;
struct uv_loop_s;

struct device_config {
	struct uv_loop_s *loop;
	struct rest *rest;
	struct ledger *ledger;
	struct timeline *timeline;
	const struct address *gateways;
	unsigned gateway_count;
	uint64_t resend_ms; /* unanswered for this long: sent again; 0: never */
	bool presence;      /* it subscribes to other users (presence.h) */
	unsigned receipts_ms; /* between two receipts; 0: it sends none */
	/* The server refused the token: sign in, then device_set_token(). */
	void (*denied)(void *context);
	void *context;
};

struct device *device_create(const struct device_config *config,
                             struct ledger_device_id id);
/* The loop must run once more. */
void device_destroy(struct device **device);

/* Sets the token to connect with; connects if the device is not connected. */
void device_set_token(struct device *device, struct span token);
/* Sends a message of the ledger, now or when the device is connected. */
void device_send(struct device *device, uint32_t number);
/* Sends an edit, delete or reaction of the ledger, likewise. */
void device_send_edit(struct device *device, uint32_t number);
/* Sends `typing`, if the device is connected. */
void device_type(struct device *device, uint64_t conversation);
/* Closes the socket for good. */
void device_disconnect(struct device *device);
/* Sends all receipts for the last time. */
void device_send_last_receipts(struct device *device);
/* Reacts to the last message of each of its conversations. */
void device_send_reactions(struct device *device);
/* To be called every few milliseconds: sends due messages again. */
void device_tick(struct device *device);

bool device_welcomed(const struct device *device);
/* Welcomed, and it misses nothing that it knows of. */
bool device_complete(const struct device *device);
/* The number of messages and edits without a final answer. */
unsigned device_waiting(const struct device *device);

#endif
