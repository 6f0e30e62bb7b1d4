/*
 * ledger_device - one socket of one user of a ledger run, again and again.
 *
 * It does what a good client does (docs/protocol/socket.md): reconnects with
 * full jitter, to any of the gateways; keeps a message under its uuid until it
 * is answered; reads the backlog after `welcome`; fetches gaps. It differs in
 * one thing: what was `accepted` it never sends again, because that message is
 * said to be safe. Whatever it sees goes into the book.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_DEVICE_H
#define PARLEY_TESTS_LEDGER_LEDGER_DEVICE_H

#include "client-test/client/address.h"
#include "client-test/client/rest.h"
#include "tests/ledger/ledger_book.h"
#include "tests/ledger/ledger_tally.h"

struct ledger_device;
struct uv_loop_s;

struct ledger_device_setup {
	struct uv_loop_s *loop;
	struct rest *rest;
	struct ledger_book *book;
	struct ledger_tally *tally;
	const struct address *gateways;
	unsigned gateway_count;
	unsigned receipts_ms; /* between two times; 0: it says nothing */
	/* The token is not taken: sign in, then ledger_device_token(). */
	void (*denied)(void *context);
	void *context;
};

struct ledger_device *
ledger_device_create(const struct ledger_device_setup *setup,
                     struct ledger_place place);
/* The loop must turn until its handles are closed. */
void ledger_device_destroy(struct ledger_device **device);

/* A token to connect with; connects if it is not connected. */
void ledger_device_token(struct ledger_device *device, struct span token);
/* Sends a message of the book, now or when it can. */
void ledger_device_send(struct ledger_device *device, uint32_t number);
/* Says for the last time how far it has come. */
void ledger_device_last_receipts(struct ledger_device *device);
/* Every few milliseconds: sends again what is due. */
void ledger_device_tick(struct ledger_device *device);

bool ledger_device_welcomed(const struct ledger_device *device);
/* Welcomed, and nothing is missing that is known of. */
bool ledger_device_complete(const struct ledger_device *device);
/* Messages that were not answered for good. */
unsigned ledger_device_waiting(const struct ledger_device *device);

#endif
