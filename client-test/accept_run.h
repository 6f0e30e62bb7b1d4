/*
 * accept_run - what the steps of the acceptance run share: people who are
 * online, what each was told last, and the list of steps.
 */
#ifndef PARLEY_CLIENT_TEST_ACCEPT_RUN_H
#define PARLEY_CLIENT_TEST_ACCEPT_RUN_H

#include "client-test/cli/options.h"
#include "client-test/client/stage.h"
#include "client-test/client/talker.h"

enum {
	ACCEPT_ONLINE_MS = 30000,
	ACCEPT_CALL_MS = 10000,
	ACCEPT_ECHO_MS = 300, /* what must not come has come by then */
	ACCEPT_NAME_MAX = 64,
};

struct accept_actor {
	struct talker *talker;
	char name[ACCEPT_NAME_MAX];
	bool online;
	bool denied;
	struct span expected; /* texts are compared with it as they come */
	/* Messages of others, also in groups: the last one. */
	unsigned messages;
	bool got_message;
	struct message message;
	bool same_text;
	/* What happened to a conversation: the last. */
	bool got_change;
	struct message change;
	/* The last receipt, and edit or reaction. */
	bool got_receipt;
	struct talker_receipt receipt;
	bool got_edit;
	struct message_edit edit;
	bool same_edit;
	/* What became of what it sent last. */
	bool settled;
	struct outcome outcome;
	struct uuid settled_uuid;
};

struct accept_run {
	const struct options *options;
	struct stage *stage;
	struct accept_actor one, two, three;
	uint64_t timeout_ms;
	uint64_t step_ms;
	unsigned failed;
	bool answered;
};

/* Begins the time of a step; ends it, and says how it went. */
void accept_begin(struct accept_run *run);
bool accept_step(struct accept_run *run, const char *what, bool ok);
/* Registers somebody new and connects; false: that was a step that failed. */
bool accept_enter(struct accept_run *run, struct accept_actor *actor,
                  const char *prefix, const char *what);
/* Sends what is drafted and waits until it is saved. */
bool accept_send(struct accept_run *run, struct accept_actor *from,
                 const struct uuid *uuid, const struct outbox_draft *draft);
/* A call, and its answer; `done` may be NULL. */
enum status accept_ask(struct accept_run *run, const struct accept_actor *actor,
                       const char *method, const char *path, struct span body,
                       rest_done *done, void *context);

/* Groups and channels: the second part. */
void accept_groups(struct accept_run *run);

#endif
