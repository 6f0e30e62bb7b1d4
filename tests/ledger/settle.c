#include "tests/ledger/settle.h"
#include "common/base/clock.h"
#include "tests/ledger/judge/edits.h"
#include "tests/ledger/judge/messages.h"
#include "tests/ledger/judge/presence.h"

enum {
	LATE_US = 1500000,   /* late duplicates may arrive within this time */
	QUIET_US = 15000000, /* without news for this long: send barriers */
	STEP_MS = 50,
	TRIES = 20,
	ROUNDS = 2,
	GONE_SHARE = 4, /* one user of this many goes at the end */
};

unsigned run_sum(const struct run *run,
                 unsigned (*count)(const struct user *user))
{
	unsigned total = 0;

	for (unsigned i = 0; i < run->config.users; i++)
		total += count(run->users[i]);
	return total;
}

unsigned run_devices(const struct run *run)
{
	return run->config.users * run->config.devices;
}

/* --- barriers ------------------------------------------------------------ */
static void send_barrier(struct run *run, uint32_t after,
                         struct ledger_device_id from, uint64_t now_us)
{
	user_send(run->users[from.user], from.device,
	          messages_write_after(run->ledger, after, from, now_us));
}

/*
 * Nothing arrives any more, and something has no outcome: is it lost or late?
 * One more message after each, from the same device, decides.
 */
static void send_barriers(struct run *run, uint64_t now_us)
{
	uint32_t count = messages_count(run->ledger), number = 0;
	struct ledger_edit edit;

	run->settling.barriers_sent = true;
	run->settling.barriers_from = count;
	messages_close(run->ledger, now_us);
	for (uint32_t i = 0; i < count; i++) {
		struct ledger_message_state line = messages_get(run->ledger, i);

		if (!line.known && !line.refused && line.sent_us)
			send_barrier(run, i, line.from, now_us);
	}
	while (edits_next_unseen(run->ledger, &number, &edit))
		send_barrier(run, edit.target, edit.from, now_us);
}

static bool barriers_known(const struct run *run)
{
	uint32_t count = messages_count(run->ledger);

	for (uint32_t i = run->settling.barriers_from; i < count; i++) {
		struct ledger_message_state line = messages_get(run->ledger, i);

		if (!line.known && !line.refused)
			return false;
	}
	return true;
}

/*
 * Everything is complete, for long enough that late duplicates have arrived; or
 * all devices are connected, there was no news for long, and the barriers have
 * arrived.
 */
bool settle_check(struct run *run, uint64_t now_us)
{
	const struct ledger_totals *totals = ledger_totals(run->ledger);
	struct settling *settling = &run->settling;
	uint64_t news = totals->received + totals->accepted + totals->sent +
	                totals->edits + totals->edits_saved;
	unsigned devices = run_devices(run);
	uint32_t number = 0;
	struct ledger_edit edit;
	bool complete = run_sum(run, user_waiting) == 0 &&
	                run_sum(run, user_complete) == devices &&
	                room_churn_idle(run->rooms) &&
	                block_churn_idle(run->blocks);
	bool unseen =
		complete && edits_next_unseen(run->ledger, &number, &edit);

	if (news != settling->news || complete != settling->complete ||
	    run_sum(run, user_welcomed) < devices)
		settling->news_us = now_us;
	settling->news = news;
	settling->complete = complete;
	if (!settling->barriers_sent &&
	    (unseen || now_us - settling->news_us > QUIET_US))
		send_barriers(run, now_us);
	if ((complete && !unseen) ||
	    (settling->barriers_sent && barriers_known(run)))
		return now_us - settling->news_us > LATE_US;
	return false;
}

/* --- sockets ------------------------------------------------------------- */
/*
 * Frames and receipts have no answer that says they arrived everywhere. So
 * every device reacts in each of its conversations. The reaction follows
 * everything that the device sent there, to the same partitions: a socket that
 * got it has got all before it. A receipt may wait in the gateway for an
 * earlier one, but not longer than the answer to a first reaction; hence two
 * rounds.
 */
static void send_reactions(struct run *run)
{
	for (unsigned i = 0; i < run->config.users; i++)
		user_send_reactions(run->users[i]);
}

/* A socket that misses a reaction and gets this message misses it for good. */
static void send_reaction_barriers(struct run *run, uint32_t from,
                                   uint64_t now_us)
{
	struct ledger_edit edit;

	run->settling.barriers_from = messages_count(run->ledger);
	while (edits_next_missing(run->ledger, &from, &edit))
		send_barrier(run, edit.target, edit.from, now_us);
}

/* False: it takes too long. */
static bool await_reactions(struct run *run, uint32_t from, uint64_t end_us)
{
	const struct ledger_totals *totals = ledger_totals(run->ledger);
	uint64_t news = 0, news_us = 0, now_us;
	bool barriers = false;

	while ((now_us = clock_mono_us()) < end_us &&
	       !event_loop_ended(run->loop)) {
		uint64_t seen = totals->edits_saved + totals->edits_received +
		                totals->received;
		uint32_t number = from;
		struct ledger_edit edit;

		if (run_sum(run, user_waiting) == 0 &&
		    !edits_next_missing(run->ledger, &number, &edit))
			return true;
		if (run_sum(run, user_welcomed) < run_devices(run))
			return true; /* the next try decides */
		if (barriers && barriers_known(run))
			return true; /* the verdict names what is missing */
		if (seen != news)
			news_us = now_us;
		news = seen;
		if (!barriers && now_us - news_us > QUIET_US) {
			send_reaction_barriers(run, from, now_us);
			barriers = true;
		}
		event_loop_run(run->loop, NULL, STEP_MS);
	}
	return false;
}

static bool await_complete(struct run *run, uint64_t end_us)
{
	while (run_sum(run, user_complete) < run_devices(run)) {
		if (clock_mono_us() >= end_us || event_loop_ended(run->loop))
			return false;
		event_loop_run(run->loop, NULL, STEP_MS);
	}
	return true;
}

enum status settle_sockets(struct run *run)
{
	uint64_t end_us = clock_mono_us() + run->options->drain_s * 1000000;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		uint64_t connects, errors;

		if (!await_complete(run, end_us))
			return ST_UNAVAILABLE;
		connects = timeline_total(run->timeline, TIMELINE_CONNECTS);
		errors = timeline_total(run->timeline,
		                        TIMELINE_RETRYABLE_ERRORS);
		for (unsigned i = 0; i < run->config.users; i++)
			user_send_last_receipts(run->users[i]);
		for (unsigned round = 0; round < ROUNDS; round++) {
			uint32_t from = edits_count(run->ledger);

			send_reactions(run);
			if (!await_reactions(run, from, end_us))
				return ST_UNAVAILABLE;
		}
		if (run_sum(run, user_complete) == run_devices(run) &&
		    errors == timeline_total(run->timeline,
		                             TIMELINE_RETRYABLE_ERRORS) &&
		    connects ==
		            timeline_total(run->timeline, TIMELINE_CONNECTS))
			return ST_OK;
	}
	return ST_UNAVAILABLE;
}

/* --- presence ------------------------------------------------------------ */
void settle_presence(struct run *run)
{
	uint64_t end_us = clock_mono_us() + run->options->calm_s * 1000000;

	block_churn_block_all(run->blocks);
	for (unsigned i = GONE_SHARE - 1; i < run->config.users;
	     i += GONE_SHARE) {
		presence_gone(run->ledger, i);
		user_disconnect(run->users[i]);
	}
	while (!(block_churn_idle(run->blocks) &&
	         presence_settled(run->ledger)) &&
	       clock_mono_us() < end_us && !event_loop_ended(run->loop))
		event_loop_run(run->loop, NULL, STEP_MS);
	presence_judge(run->ledger);
}
