/*
 * accept_run - shared by the steps of the acceptance run: users who are online,
 * the last events of each, and the list of steps.
 */
#ifndef PARLEY_CLIENT_TEST_ACCEPT_RUN_H
#define PARLEY_CLIENT_TEST_ACCEPT_RUN_H

#include "client-test/cli/event_loop.h"
#include "client-test/cli/options.h"
#include "client-test/client/user_session.h"

enum {
	ACCEPT_ONLINE_MS = 30000,
	ACCEPT_CALL_MS = 10000,
	ACCEPT_ECHO_MS = 300, /* an unwanted frame would have arrived by then */
	ACCEPT_NAME_MAX = 64,
};

#define ACCEPT_PASSWORD "correct horse battery staple"

struct accept_user {
	struct user_session *session;
	char name[ACCEPT_NAME_MAX];
	bool online;
	bool denied;
	bool token_replaced;
	struct span expected; /* arriving texts are compared with it */
	/* The last message of another user, and how many there were. */
	unsigned messages;
	bool got_message;
	struct message message;
	bool same_text;
	/* The last membership change. */
	bool got_change;
	struct message change;
	/* The last receipt; the last edit or reaction. */
	bool got_receipt;
	struct user_session_receipt receipt;
	bool got_edit;
	struct message_edit edit;
	bool same_edit;
	/* The result of its last send. */
	bool settled;
	struct send_result result;
	struct uuid settled_uuid;
};

struct accept_run {
	const char *url;
	struct event_loop *loop;
	struct accept_user one, two, three;
	uint64_t timeout_ms;
	uint64_t step_ms;
	unsigned failed;
	bool answered;
};

/* Starts the clock of a step. */
void accept_begin(struct accept_run *run);
/* Prints the step with its time, and returns `ok`. */
bool accept_step(struct accept_run *run, const char *what, bool ok);
/* Registers a new user and connects: a step. */
bool accept_enter(struct accept_run *run, struct accept_user *actor,
                  const char *prefix, const char *what);
/* Sends the draft and waits until it is saved. */
bool accept_send(struct accept_run *run, struct accept_user *from,
                 const struct uuid *uuid, const struct message_draft *draft);
/* Makes a REST call and waits for the answer; `done` may be NULL. */
enum status accept_ask(struct accept_run *run, const struct accept_user *actor,
                       const char *method, const char *path, struct span body,
                       rest_done *done, void *context);

/* The same with any token. */
enum status accept_ask_with(struct accept_run *run, struct span token,
                            const char *method, const char *path,
                            struct span body, rest_done *done, void *context);

/* The second part: tokens and sessions. */
void accept_sessions(struct accept_run *run);
/* The third part: groups and channels. */
void accept_groups(struct accept_run *run);

#endif
