/*
 * user - one user of a run: an account and its devices.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_USER_H
#define PARLEY_TESTS_LEDGER_CLIENTS_USER_H

#include "tests/ledger/clients/device.h"

struct user;

/*
 * Starts to sign in, then to connect `devices` devices. `denied` and `context`
 * of the config are ignored. Registers the name or, if it is taken, logs in.
 */
struct user *user_create(const struct device_config *config, unsigned number,
                         unsigned devices, const char *name);
/* To be destroyed after `rest`, so that no answer arrives any more. */
void user_destroy(struct user **user);

void user_send(struct user *user, unsigned device, uint32_t number);
void user_send_edit(struct user *user, unsigned device, uint32_t number);
void user_type(struct user *user, unsigned device, uint64_t conversation);
/* Closes all sockets for good. */
void user_disconnect(struct user *user);
void user_send_last_receipts(struct user *user);
/* Each device reacts to the last message of each of its conversations. */
void user_send_reactions(struct user *user);
void user_tick(struct user *user);

/* Sums over the user's devices; see device.h. */
unsigned user_welcomed(const struct user *user);
unsigned user_complete(const struct user *user);
unsigned user_waiting(const struct user *user);
/* The last token; empty before the first sign-in. */
struct span user_token(const struct user *user);
/* Gets a new token, after the server refused the last one. */
void user_sign_in(struct user *user);

#endif
