/*
 * device_private - what the files of the device module share.
 *
 * device.c         the socket, the backlog, what the device sends
 * device_frames.c  the frames that arrive
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_DEVICE_PRIVATE_H
#define PARLEY_TESTS_LEDGER_CLIENTS_DEVICE_PRIVATE_H

#include "client-test/client/backlog.h"
#include "client-test/client/connection.h"
#include "client-test/client/inbox.h"
#include "tests/ledger/clients/device.h"
#include "tests/ledger/clients/pending.h"
#include "tests/ledger/clients/receipt_sender.h"

struct device {
	struct device_config config;
	struct ledger_device_id id;
	char *token;
	struct connection *connection;
	struct inbox *inbox;
	struct backlog *backlog;
	struct receipt_sender *receipt_sender;
	uint64_t receipts_due_ms;
	uint64_t presence_due_ms; /* UINT64_MAX: it has subscribed */
	struct loop_timer *reconnect;
	unsigned failures; /* in a row */
	bool welcomed;
	bool offline; /* for good */
	bool complete;
	struct pending *pending;
};

/* A frame of the server, for a device. */
void device_take_text(void *context, struct span text);
/* A user who left a conversation sends no receipts there. */
void device_note_membership(struct device *device,
                            const struct message *message);

#endif
