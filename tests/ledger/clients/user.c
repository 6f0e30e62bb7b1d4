#include "tests/ledger/clients/user.h"
#include "client-test/client/account.h"
#include "client-test/client/loop_timer.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "tests/ledger/judge/ledger.h"

#include <stdio.h>

enum { RETRY_BASE_MS = 200, RETRY_MAX_MS = 3000 };

static const char password[] = "correct horse battery";

struct user {
	unsigned number;
	struct ledger *ledger;
	struct account *account;
	struct loop_timer *retry;
	unsigned failures; /* in a row */
	bool signing_in;
	struct device *devices[LEDGER_DEVICES_MAX];
	unsigned device_count;
};

static void sign_in(void *context)
{
	struct user *user = context;

	account_sign_in(user->account);
}

static void signed_in(void *context, enum status status, struct span why)
{
	struct user *user = context;

	if (status != ST_OK) {
		if (status != ST_BUSY && status != ST_UNAVAILABLE)
			(void)fprintf(stderr, "ledger: signing in: %s: %.*s\n",
			              status_text(status), (int)why.len,
			              why.len ? why.data : "");
		loop_timer_start(user->retry,
		                 backoff_ms(user->failures++, RETRY_BASE_MS,
		                            RETRY_MAX_MS));
		return;
	}
	user->failures = 0;
	user->signing_in = false;
	ledger_set_user_id(user->ledger, user->number,
	                   account_user(user->account));
	for (unsigned i = 0; i < user->device_count; i++)
		device_set_token(user->devices[i],
		                 account_token(user->account));
}

void user_sign_in(struct user *user)
{
	if (user->signing_in)
		return;
	user->signing_in = true;
	loop_timer_start(user->retry, backoff_ms(user->failures++,
	                                         RETRY_BASE_MS, RETRY_MAX_MS));
}

static void denied(void *context)
{
	user_sign_in(context);
}

struct user *user_create(const struct device_config *config, unsigned number,
                         unsigned devices, const char *name)
{
	struct device_config own = *config;
	struct user *user = mem_new(sizeof(*user));

	own.denied = denied;
	own.context = user;
	user->number = number;
	user->ledger = config->ledger;
	user->device_count = devices;
	for (unsigned i = 0; i < devices; i++)
		user->devices[i] = device_create(
			&own, (struct ledger_device_id){number, i});
	user->account =
		account_create(config->rest, name, password, signed_in, user);
	user->retry = loop_timer_create(config->loop, sign_in, user);
	user->signing_in = true;
	account_sign_in(user->account);
	return user;
}

void user_destroy(struct user **user_at)
{
	struct user *user = MOVE(*user_at);

	if (!user)
		return;
	for (unsigned i = 0; i < user->device_count; i++)
		device_destroy(&user->devices[i]);
	account_destroy(&user->account);
	loop_timer_destroy(&user->retry);
	mem_free(&user);
}

void user_send(struct user *user, unsigned device, uint32_t number)
{
	device_send(user->devices[device], number);
}

void user_send_edit(struct user *user, unsigned device, uint32_t number)
{
	device_send_edit(user->devices[device], number);
}

void user_send_reactions(struct user *user)
{
	for (unsigned i = 0; i < user->device_count; i++)
		device_send_reactions(user->devices[i]);
}

void user_type(struct user *user, unsigned device, uint64_t conversation)
{
	device_type(user->devices[device], conversation);
}

void user_disconnect(struct user *user)
{
	for (unsigned i = 0; i < user->device_count; i++)
		device_disconnect(user->devices[i]);
}

void user_send_last_receipts(struct user *user)
{
	for (unsigned i = 0; i < user->device_count; i++)
		device_send_last_receipts(user->devices[i]);
}

void user_tick(struct user *user)
{
	for (unsigned i = 0; i < user->device_count; i++)
		device_tick(user->devices[i]);
}

unsigned user_welcomed(const struct user *user)
{
	unsigned count = 0;

	for (unsigned i = 0; i < user->device_count; i++)
		count += device_welcomed(user->devices[i]);
	return count;
}

unsigned user_complete(const struct user *user)
{
	unsigned count = 0;

	for (unsigned i = 0; i < user->device_count; i++)
		count += device_complete(user->devices[i]);
	return count;
}

unsigned user_waiting(const struct user *user)
{
	unsigned count = 0;

	for (unsigned i = 0; i < user->device_count; i++)
		count += device_waiting(user->devices[i]);
	return count;
}

struct span user_token(const struct user *user)
{
	return account_token(user->account);
}
