#include "tests/ledger/ledger_user.h"
#include "client-test/client/account.h"
#include "client-test/client/loop_timer.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <stdio.h>

enum { RETRY_BASE_MS = 200, RETRY_MAX_MS = 3000 };

static const char password[] = "correct horse battery";

struct ledger_user {
	unsigned user;
	struct ledger_book *book;
	struct account *account;
	struct loop_timer *retry;
	unsigned failures; /* in a row */
	bool signing_in;
	struct ledger_device *devices[LEDGER_DEVICES_MAX];
	unsigned device_count;
};

static void sign_in(void *context)
{
	struct ledger_user *user = context;

	account_sign_in(user->account);
}

static void signed_in(void *context, enum status status, struct span why)
{
	struct ledger_user *user = context;

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
	ledger_book_user(user->book, user->user, account_user(user->account));
	for (unsigned i = 0; i < user->device_count; i++)
		ledger_device_token(user->devices[i],
		                    account_token(user->account));
}

void ledger_user_sign_in(struct ledger_user *user)
{
	if (user->signing_in)
		return;
	user->signing_in = true;
	loop_timer_start(user->retry, backoff_ms(user->failures++,
	                                         RETRY_BASE_MS, RETRY_MAX_MS));
}

static void denied(void *context)
{
	ledger_user_sign_in(context);
}

struct ledger_user *ledger_user_create(const struct ledger_device_setup *setup,
                                       unsigned number, unsigned devices,
                                       const char *name)
{
	struct ledger_device_setup own = *setup;
	struct ledger_user *user = mem_new(sizeof(*user));

	own.denied = denied;
	own.context = user;
	user->user = number;
	user->book = setup->book;
	user->device_count = devices;
	for (unsigned i = 0; i < devices; i++)
		user->devices[i] = ledger_device_create(
			&own, (struct ledger_place){number, i});
	user->account =
		account_create(setup->rest, name, password, signed_in, user);
	user->retry = loop_timer_create(setup->loop, sign_in, user);
	user->signing_in = true;
	account_sign_in(user->account);
	return user;
}

void ledger_user_destroy(struct ledger_user **user_at)
{
	struct ledger_user *user = MOVE(*user_at);

	if (!user)
		return;
	for (unsigned i = 0; i < user->device_count; i++)
		ledger_device_destroy(&user->devices[i]);
	account_destroy(&user->account);
	loop_timer_destroy(&user->retry);
	mem_free(&user);
}

void ledger_user_send(struct ledger_user *user, unsigned device,
                      uint32_t number)
{
	ledger_device_send(user->devices[device], number);
}

void ledger_user_last_receipts(struct ledger_user *user)
{
	for (unsigned i = 0; i < user->device_count; i++)
		ledger_device_last_receipts(user->devices[i]);
}

void ledger_user_tick(struct ledger_user *user)
{
	for (unsigned i = 0; i < user->device_count; i++)
		ledger_device_tick(user->devices[i]);
}

unsigned ledger_user_welcomed(const struct ledger_user *user)
{
	unsigned count = 0;

	for (unsigned i = 0; i < user->device_count; i++)
		count += ledger_device_welcomed(user->devices[i]);
	return count;
}

unsigned ledger_user_complete(const struct ledger_user *user)
{
	unsigned count = 0;

	for (unsigned i = 0; i < user->device_count; i++)
		count += ledger_device_complete(user->devices[i]);
	return count;
}

unsigned ledger_user_waiting(const struct ledger_user *user)
{
	unsigned count = 0;

	for (unsigned i = 0; i < user->device_count; i++)
		count += ledger_device_waiting(user->devices[i]);
	return count;
}

struct span ledger_user_token(const struct ledger_user *user)
{
	return account_token(user->account);
}
