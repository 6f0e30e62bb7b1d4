#include "bench/load/bench_pairs.h"
#include "bench/load/bench_net.h"
#include "bench/load/bench_scan.h"
#include "bench/load/bench_users.h"
#include "client-test/cli/command.h"
#include "client-test/client/histogram.h"
#include "client-test/client/open_files.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <stdio.h>

enum {
	SECOND_US = 1000000,
	SETUP_S = 30,
	DRAIN_S = 15,
	PREFIX_LEN = 24, /* of a uuid: the run's; behind it pair and number */
	NUMBER_LEN = 8,
	USER_LEN = 20,
	PAYLOAD_MAX = 20 * 1024,
	FIRST_SLOTS = 4096,
	NAP_FROM_RATE = 1000,
	NAP_US = 200,
};

struct slot {
	uint64_t sent_us : 62;
	uint64_t saved : 1;
	uint64_t received : 1;
};

struct pair {
	struct bench_peer from, to;
	struct slot *slots;
	uint32_t sent;
	uint32_t capacity;
	uint64_t *last_seq; /* of each conversation: one for each peer */
	char *payload;      /* the next message, all but number and recipient */
	size_t payload_len;
	size_t number_at;
	size_t user_at;
};

struct bench {
	const struct options *options;
	struct bench_net *net;
	struct pair *pairs;
	unsigned pair_count;
	uint64_t *users; /* by peer: the senders and recipients in turn */
	char prefix[PREFIX_LEN + 1];
	unsigned welcomed;
	bool sending;
	uint64_t from_us, until_us; /* what is sent in between is measured */
	uint64_t sent, saved, received, settled_in_time;
	uint64_t accepted, errors, duplicates, misordered, strange, lost_peers;
	struct histogram to_saved, to_received;
	char last_error[64];
};

/* --- sending ------------------------------------------------------------- */
static void prepare(struct bench *bench, struct pair *pair)
{
	struct buf text CLEANUP(buf_free) = BUF(PAYLOAD_MAX);
	unsigned number = (unsigned)(pair - bench->pairs);

	buf_format(&text, "{\"uuid\":\"%s%04x%08x\",\"message\":\"",
	           bench->prefix, number, 0U);
	pair->number_at = strlen("{\"uuid\":\"") + PREFIX_LEN + 4;
	for (uint64_t i = 0; i < bench->options->size; i++)
		buf_byte(&text, (char)('a' + i % 26));
	buf_format(&text, "\",\"user_to\":");
	pair->user_at = text.len;
	buf_format(&text, "%*s}", (int)USER_LEN, "");
	pair->last_seq = mem_new(bench->options->peers * sizeof(uint64_t));
	pair->payload = mem_text(text.data, text.len);
	pair->payload_len = text.len;
}

static void write_number(char *to, uint32_t number)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = NUMBER_LEN - 1; i >= 0; i--, number >>= 4)
		to[i] = hex[number & 15];
}

/* To the right: JSON allows blanks before a number, and no zeros. */
static void write_user(char *to, uint64_t user)
{
	memset(to, ' ', USER_LEN);
	for (int i = USER_LEN - 1; user; i--, user /= 10)
		to[i] = (char)('0' + user % 10);
}

/* The first peer is the other one of the pair. */
static uint64_t peer_of(const struct bench *bench, const struct pair *pair,
                        uint32_t number)
{
	uint64_t index = 2 * (uint64_t)(pair - bench->pairs) + 1 +
	                 number % bench->options->peers;

	return bench->users[index % (2 * (uint64_t)bench->pair_count)];
}

static void send_next(struct bench *bench, struct pair *pair, uint64_t when_us)
{
	if (pair->sent == pair->capacity) {
		pair->capacity =
			pair->capacity ? pair->capacity * 2 : FIRST_SLOTS;
		pair->slots = mem_resize(pair->slots,
		                         pair->capacity * sizeof(*pair->slots));
	}
	pair->slots[pair->sent] = (struct slot){.sent_us = when_us};
	write_user(pair->payload + pair->user_at,
	           peer_of(bench, pair, pair->sent));
	write_number(pair->payload + pair->number_at, pair->sent++);
	bench->sent++;
	bench_net_send(bench->net, &pair->from,
	               span_make(pair->payload, pair->payload_len));
}

/* --- what comes back ----------------------------------------------------- */
static bool read_hex(const char *at, unsigned len, uint32_t *ret_number)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < len; i++) {
		char c = at[i];

		if (c >= '0' && c <= '9')
			number = number << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret_number = number;
	return true;
}

static struct slot *slot_of(struct bench *bench, struct span uuid,
                            struct pair **ret_pair)
{
	uint32_t pair, number;

	if (uuid.len != 36 ||
	    memcmp(uuid.data, bench->prefix, PREFIX_LEN) != 0 ||
	    !read_hex(uuid.data + PREFIX_LEN, 4, &pair) ||
	    !read_hex(uuid.data + PREFIX_LEN + 4, NUMBER_LEN, &number) ||
	    pair >= bench->pair_count || number >= bench->pairs[pair].sent)
		return NULL;
	*ret_pair = &bench->pairs[pair];
	return &(*ret_pair)->slots[number];
}

static bool is_measured(const struct bench *bench, uint64_t sent_us)
{
	return sent_us >= bench->from_us && sent_us < bench->until_us;
}

static void take_saved(struct bench *bench, struct pair *pair,
                       struct slot *slot, uint64_t now_us)
{
	if (slot->saved) {
		bench->duplicates++;
		return;
	}
	slot->saved = 1;
	bench->saved++;
	if (is_measured(bench, now_us))
		bench->settled_in_time++;
	if (is_measured(bench, slot->sent_us))
		histogram_add(&bench->to_saved, now_us - slot->sent_us);
	if (bench->sending && !bench->options->rate)
		send_next(bench, pair, now_us);
}

static void take_received(struct bench *bench, struct pair *pair,
                          struct slot *slot, uint64_t seq, uint64_t now_us)
{
	uint64_t peer = (uint64_t)(slot - pair->slots) % bench->options->peers;

	if (slot->received) {
		bench->duplicates++;
		return;
	}
	slot->received = 1;
	bench->received++;
	bench->misordered += seq <= pair->last_seq[peer];
	pair->last_seq[peer] = seq;
	if (is_measured(bench, slot->sent_us))
		histogram_add(&bench->to_received, now_us - slot->sent_us);
}

/* A refusal settles its message too: the next one may go. */
static void take_refused(struct bench *bench, struct span code,
                         struct pair *pair, uint64_t now_us)
{
	bench->errors++;
	(void)snprintf(bench->last_error, sizeof(bench->last_error), "%.*s",
	               (int)code.len, code.len ? code.data : "");
	if (pair && bench->sending && !bench->options->rate)
		send_next(bench, pair, now_us);
}

static void take_text(void *context, struct bench_peer *peer, struct span text,
                      uint64_t now_us)
{
	struct bench *bench = context;
	struct bench_frame frame;
	struct pair *pair = NULL;
	struct slot *slot;

	(void)peer;
	if (!bench_scan(text, &frame)) {
		bench->strange++;
		return;
	}
	slot = slot_of(bench, frame.uuid, &pair);
	if (frame.kind == BENCH_WELCOME)
		bench->welcomed++;
	else if (frame.kind == BENCH_REFUSED)
		take_refused(bench, frame.code, pair, now_us);
	else if (!slot)
		bench->strange++;
	else if (frame.kind == BENCH_SAVED)
		take_saved(bench, pair, slot, now_us);
	else if (frame.kind == BENCH_MESSAGE)
		take_received(bench, pair, slot, frame.seq, now_us);
	else if (frame.kind == BENCH_ACCEPTED)
		bench->accepted++;
}

static void lost(void *context, struct bench_peer *peer, const char *why)
{
	struct bench *bench = context;

	(void)peer;
	if (bench->lost_peers++ == 0)
		(void)fprintf(stderr, "a socket ended: %s\n", why);
}

static const struct bench_net_events events = {.text = take_text, .lost = lost};

/* --- the run ------------------------------------------------------------- */
static bool connect_all(struct bench *bench, const struct bench_users *users)
{
	uint64_t deadline_us = clock_mono_us() + (uint64_t)SETUP_S * SECOND_US;

	for (unsigned i = 0; i < bench->pair_count; i++) {
		struct pair *pair = &bench->pairs[i];
		const struct bench_user *one = &users->users[(size_t)2 * i];
		const struct bench_user *two = one + 1;

		bench->users[2 * i] = one->id;
		bench->users[2 * i + 1] = two->id;
		prepare(bench, pair);
		if (bench_net_connect(bench->net, &pair->from, 2 * i,
		                      span_of(one->token)) != ST_OK ||
		    bench_net_connect(bench->net, &pair->to, 2 * i + 1,
		                      span_of(two->token)) != ST_OK)
			return false;
	}
	while (bench->welcomed < 2 * bench->pair_count && !bench->lost_peers &&
	       clock_mono_us() < deadline_us)
		bench_net_turn(bench->net, deadline_us);
	return bench->welcomed == 2 * bench->pair_count;
}

static void run_closed(struct bench *bench)
{
	for (unsigned i = 0; i < bench->pair_count; i++) {
		for (uint64_t k = 0; k < bench->options->in_flight; k++)
			send_next(bench, &bench->pairs[i], clock_mono_us());
	}
	while (clock_mono_us() < bench->until_us && !bench->lost_peers)
		bench_net_turn(bench->net, bench->until_us);
}

/*
 * At high rates a nap after each turn: else most frames wake us, which the
 * servers pay for when they share our cores. Times only get later by it.
 */
static void run_open(struct bench *bench, uint64_t start_us)
{
	uint64_t number = 0;
	uint64_t next_us = start_us;

	if (bench->options->rate >= NAP_FROM_RATE)
		bench_net_nap(bench->net, NAP_US);

	while (next_us < bench->until_us && !bench->lost_peers) {
		bench_net_turn(bench->net, next_us);
		while (next_us <= clock_mono_us() &&
		       next_us < bench->until_us) {
			send_next(bench,
			          &bench->pairs[number % bench->pair_count],
			          next_us);
			number++;
			next_us = start_us +
			          number * SECOND_US / bench->options->rate;
		}
	}
}

static bool all_home(const struct bench *bench)
{
	return bench->saved + bench->errors >= bench->sent &&
	       bench->received >= bench->saved;
}

static void drain(struct bench *bench)
{
	uint64_t deadline_us = clock_mono_us() + (uint64_t)DRAIN_S * SECOND_US;

	bench->sending = false;
	while (!all_home(bench) && !bench->lost_peers &&
	       clock_mono_us() < deadline_us)
		bench_net_turn(bench->net, deadline_us);
	/* What is doubled comes last. */
	deadline_us = clock_mono_us() + SECOND_US / 5;
	while (clock_mono_us() < deadline_us && !bench->lost_peers)
		bench_net_turn(bench->net, deadline_us);
}

static void run(struct bench *bench)
{
	const struct options *options = bench->options;
	uint64_t start_us = clock_mono_us();

	bench->from_us = start_us + options->warm_up_s * SECOND_US;
	bench->until_us = bench->from_us + options->seconds * SECOND_US;
	bench->sending = true;
	if (options->rate)
		run_open(bench, start_us);
	else
		run_closed(bench);
	drain(bench);
}

/* --- the result ---------------------------------------------------------- */
static void write_times(struct json_writer *w, const char *name,
                        const struct histogram *histogram)
{
	json_open_object(w, name);
	json_number(w, "count", histogram->count);
	json_number(w, "p50", histogram_at(histogram, 50));
	json_number(w, "p90", histogram_at(histogram, 90));
	json_number(w, "p99", histogram_at(histogram, 99));
	json_number(w, "p999", histogram_at(histogram, 99.9));
	json_number(w, "max", histogram->max);
	json_close(w);
}

static bool is_clean(const struct bench *bench)
{
	return all_home(bench) && !bench->errors && !bench->duplicates &&
	       !bench->misordered && !bench->strange && !bench->lost_peers;
}

static void report(const struct bench *bench)
{
	const struct options *options = bench->options;
	struct buf text CLEANUP(buf_free) = BUF(8192);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("pairs"));
	json_number(&w, "pairs", bench->pair_count);
	json_number(&w, "peers", options->peers);
	json_number(&w, options->rate ? "rate" : "in_flight",
	            options->rate ? options->rate : options->in_flight);
	json_number(&w, "text_bytes", options->size);
	json_number(&w, "seconds", options->seconds);
	json_double(&w, "saved_per_s",
	            (double)bench->settled_in_time / (double)options->seconds);
	write_times(&w, "saved_us", &bench->to_saved);
	write_times(&w, "received_us", &bench->to_received);
	json_number(&w, "sent", bench->sent);
	json_number(&w, "saved", bench->saved);
	json_number(&w, "received", bench->received);
	json_number(&w, "accepted", bench->accepted);
	json_number(&w, "errors", bench->errors);
	json_text(&w, "last_error", span_of(bench->last_error));
	json_signed(&w, "lost_unsaved",
	            (int64_t)(bench->sent - bench->saved - bench->errors));
	json_signed(&w, "lost_undelivered",
	            (int64_t)(bench->saved - bench->received));
	json_number(&w, "duplicates", bench->duplicates);
	json_number(&w, "misordered", bench->misordered);
	json_number(&w, "strange_frames", bench->strange);
	json_number(&w, "lost_sockets", bench->lost_peers);
	json_bool(&w, "clean", is_clean(bench));
	json_close(&w);
	(void)puts(buf_text(&text));
}

static void make_prefix(struct bench *bench)
{
	uint64_t when = clock_unix_ms();
	uint64_t random = random_u64();

	/* Rises with time, as version 7 does, with our own fields: version 8.
	 */
	(void)snprintf(
		bench->prefix, sizeof(bench->prefix), "%08x-%04x-8%03x-8%03x-",
		(unsigned)(when >> 16 & 0xffffffff), (unsigned)(when & 0xffff),
		(unsigned)(random & 0xfff), (unsigned)(random >> 12 & 0xfff));
}

static void release(struct bench *bench)
{
	for (unsigned i = 0; i < bench->pair_count; i++) {
		struct pair *pair = &bench->pairs[i];

		if (bench->welcomed) {
			bench_net_close(bench->net, &pair->from);
			bench_net_close(bench->net, &pair->to);
		}
		mem_free(&pair->last_seq);
		mem_free(&pair->slots);
		mem_free(&pair->payload);
	}
	mem_free(&bench->pairs);
	mem_free(&bench->users);
	bench_net_destroy(&bench->net);
}

int bench_pairs(const struct options *options)
{
	static struct bench bench;
	struct bench_users users;
	struct address address;
	int code = EXIT_FAILED;

	bench.options = options;
	bench.pair_count = (unsigned)options->pairs;
	if (options->peers >= 2 * options->pairs) {
		(void)fprintf(stderr, "as many peers need more pairs\n");
		return EXIT_USAGE;
	}
	if (!address_parse(options->url, &address) ||
	    bench_users_read(options->tokens, 2 * bench.pair_count, &users) !=
	            ST_OK ||
	    bench_net_create(&address, &events, &bench, &bench.net) != ST_OK)
		return EXIT_USAGE;
	open_files_raise_limit();
	make_prefix(&bench);
	bench.pairs = mem_new(bench.pair_count * sizeof(*bench.pairs));
	bench.users = mem_new(2 * bench.pair_count * sizeof(*bench.users));
	if (connect_all(&bench, &users)) {
		run(&bench);
		report(&bench);
		code = is_clean(&bench) ? EXIT_DONE : EXIT_FAILED;
	} else {
		(void)fprintf(stderr, "%u of %u sockets were welcomed\n",
		              bench.welcomed, 2 * bench.pair_count);
	}
	release(&bench);
	bench_users_free(&users);
	return code;
}
