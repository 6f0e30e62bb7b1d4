/*
 * ledger_user - one person of a ledger run: an account and its devices.
 */
#ifndef PARLEY_TESTS_LEDGER_LEDGER_USER_H
#define PARLEY_TESTS_LEDGER_LEDGER_USER_H

#include "tests/ledger/ledger_device.h"

struct ledger_user;

/*
 * Starts to sign in, then to connect `devices` sockets. `denied` of the setup
 * is not read. A name that is taken is logged in.
 */
struct ledger_user *ledger_user_create(const struct ledger_device_setup *setup,
                                       unsigned user, unsigned devices,
                                       const char *name);
/* After the rest: no answer may come any more. */
void ledger_user_destroy(struct ledger_user **user);

void ledger_user_send(struct ledger_user *user, unsigned device,
                      uint32_t number);
void ledger_user_last_receipts(struct ledger_user *user);
void ledger_user_tick(struct ledger_user *user);

/* How many of its devices are welcomed; and how many have all that they know
 * of. */
unsigned ledger_user_welcomed(const struct ledger_user *user);
unsigned ledger_user_complete(const struct ledger_user *user);
unsigned ledger_user_waiting(const struct ledger_user *user);
/* One that was good once; empty before that. */
struct span ledger_user_token(const struct ledger_user *user);
/* Gets a new one; for who was told that the old one is not taken. */
void ledger_user_sign_in(struct ledger_user *user);

#endif
