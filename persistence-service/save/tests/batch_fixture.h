/*
 * batch_fixture - a batch of records, on the database of chat_fixture, and a
 * connection for what is tested. A group and a channel are made on demand.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_TESTS_BATCH_FIXTURE_H
#define PARLEY_PERSISTENCE_SAVE_TESTS_BATCH_FIXTURE_H

#include "persistence-service/save/batch/batch.h"
#include "persistence-service/tests/chat_fixture.h"

enum { GROUP = 17, CHANNEL = 18, STRANGER = 9 };

extern struct sql *sql;
extern struct batch *batch;

void batch_fixture_start(void); /* of the group of tests */
void batch_fixture_stop(void);
void batch_fixture_empty(void); /* before each test */

/*
 * A group of 1 (the owner), 2 (an admin) and 3, and a large channel of 1 and 2.
 * The first entry of each is about members.
 */
void make_group_and_channel(void);
/* Of the group, as membership does: the change takes a seq. */
void remove_member(unsigned user);
void add_member(unsigned user);

/* Adds a message; without `uuid` it gets a new one. */
struct batch_entry *put(uint64_t sender, uint64_t user_to,
                        const struct uuid *uuid, const char *text);
struct batch_entry *put_into(struct batch *to, uint64_t sender,
                             uint64_t user_to, const struct uuid *uuid,
                             const char *text);
/* Adds a record about a conversation; the caller sets its other members. */
struct batch_entry *put_kind(enum save_kind kind, uint64_t sender,
                             uint64_t conversation, uint64_t seq);
/* A message to a group or channel; changes of a message of the group. */
struct batch_entry *say(uint64_t sender, uint64_t conversation,
                        const char *text);
struct batch_entry *edit(uint64_t sender, uint64_t seq, const char *text);
struct batch_entry *react(uint64_t sender, uint64_t seq, const char *reaction,
                          bool remove);

void assert_refused(const struct batch_entry *entry, enum frame_code code);
/* seq has no gaps, and each conversation's last_seq is its highest. */
void assert_consistent(void);

#endif
