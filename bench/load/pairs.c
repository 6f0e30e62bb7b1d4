#include "bench/load/pairs.h"
#include "bench/load/client_sockets.h"
#include "bench/load/frame_scan.h"
#include "bench/load/user_tokens.h"
#include "client-test/cli/command.h"
#include "client-test/cli/histogram.h"
#include "client-test/cli/open_files.h"
#include "common/base/clock.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/base/random.h"

#include <stdio.h>

enum {
	SECOND_US = 1000000,
	SETUP_S = 30,
	DRAIN_S = 15,
	PREFIX_LEN =
		24, /* of a uuid: the same for the run; then pair, number */
	NUMBER_LEN = 8,
	USER_LEN = 20,
	PAYLOAD_MAX = 20 * 1024,
	FIRST_SLOTS = 4096,
	PAUSE_FROM_RATE = 1000,
	PAUSE_US = 200,
};

struct slot {
	uint64_t sent_us : 62;
	uint64_t saved : 1;
	uint64_t received : 1;
};

struct pair {
	struct client_socket from, to;
	struct slot *slots;
	uint32_t sent;
	uint32_t capacity;
	uint64_t *last_seq; /* by peer, that is by conversation */
	char *payload;      /* the next message without number and recipient */
	size_t payload_len;
	size_t number_at;
	size_t user_at;
};

struct pairs_load {
	const struct load_options *options;
	struct client_sockets *sockets;
	struct pair *pairs;
	unsigned pair_count;
	uint64_t *users; /* the sender and the recipient of each pair */
	char prefix[PREFIX_LEN + 1];
	unsigned welcomed;
	bool sending;
	uint64_t from_us, until_us; /* messages sent in between are measured */
	uint64_t sent, saved, received, settled_in_time;
	uint64_t accepted, errors, duplicates, misordered, unexpected,
		lost_sockets;
	struct histogram to_saved, to_received;
	char last_error[64];
};

/* --- sending ------------------------------------------------------------- */
static void prepare(struct pairs_load *load, struct pair *pair)
{
	struct buf text CLEANUP(buf_free) = BUF(PAYLOAD_MAX);
	unsigned number = (unsigned)(pair - load->pairs);

	buf_format(&text, "{\"uuid\":\"%s%04x%08x\",\"message\":\"",
	           load->prefix, number, 0U);
	pair->number_at = strlen("{\"uuid\":\"") + PREFIX_LEN + 4;
	for (uint64_t i = 0; i < load->options->size; i++)
		buf_byte(&text, (char)('a' + i % 26));
	buf_format(&text, "\",\"user_to\":");
	pair->user_at = text.len;
	buf_format(&text, "%*s}", (int)USER_LEN, "");
	pair->last_seq = mem_new(load->options->peers * sizeof(uint64_t));
	pair->payload = mem_text(text.data, text.len);
	pair->payload_len = text.len;
}

static void write_number(char *to, uint32_t number)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = NUMBER_LEN - 1; i >= 0; i--, number >>= 4)
		to[i] = hex[number & 15];
}

/* Right-aligned: JSON allows spaces before a number, but no zeros. */
static void write_user(char *to, uint64_t user)
{
	memset(to, ' ', USER_LEN);
	for (int i = USER_LEN - 1; user; i--, user /= 10)
		to[i] = (char)('0' + user % 10);
}

/* The first peer is the other user of the pair. */
static uint64_t peer_of(const struct pairs_load *load, const struct pair *pair,
                        uint32_t number)
{
	uint64_t index = 2 * (uint64_t)(pair - load->pairs) + 1 +
	                 number % load->options->peers;

	return load->users[index % (2 * (uint64_t)load->pair_count)];
}

static void send_next(struct pairs_load *load, struct pair *pair,
                      uint64_t when_us)
{
	if (pair->sent == pair->capacity) {
		pair->capacity =
			pair->capacity ? pair->capacity * 2 : FIRST_SLOTS;
		pair->slots = mem_resize(pair->slots,
		                         pair->capacity * sizeof(*pair->slots));
	}
	pair->slots[pair->sent] = (struct slot){.sent_us = when_us};
	write_user(pair->payload + pair->user_at,
	           peer_of(load, pair, pair->sent));
	write_number(pair->payload + pair->number_at, pair->sent++);
	load->sent++;
	client_sockets_send(load->sockets, &pair->from,
	                    span_make(pair->payload, pair->payload_len));
}

/* --- receiving ----------------------------------------------------------- */
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

static struct slot *slot_of(struct pairs_load *load, struct span uuid,
                            struct pair **ret_pair)
{
	uint32_t pair, number;

	if (uuid.len != 36 ||
	    memcmp(uuid.data, load->prefix, PREFIX_LEN) != 0 ||
	    !read_hex(uuid.data + PREFIX_LEN, 4, &pair) ||
	    !read_hex(uuid.data + PREFIX_LEN + 4, NUMBER_LEN, &number) ||
	    pair >= load->pair_count || number >= load->pairs[pair].sent)
		return NULL;
	*ret_pair = &load->pairs[pair];
	return &(*ret_pair)->slots[number];
}

static bool is_measured(const struct pairs_load *load, uint64_t sent_us)
{
	return sent_us >= load->from_us && sent_us < load->until_us;
}

static void take_saved(struct pairs_load *load, struct pair *pair,
                       struct slot *slot, uint64_t now_us)
{
	if (slot->saved) {
		load->duplicates++;
		return;
	}
	slot->saved = 1;
	load->saved++;
	if (is_measured(load, now_us))
		load->settled_in_time++;
	if (is_measured(load, slot->sent_us))
		histogram_add(&load->to_saved, now_us - slot->sent_us);
	if (load->sending && !load->options->rate)
		send_next(load, pair, now_us);
}

static void take_received(struct pairs_load *load, struct pair *pair,
                          struct slot *slot, uint64_t seq, uint64_t now_us)
{
	uint64_t peer = (uint64_t)(slot - pair->slots) % load->options->peers;

	if (slot->received) {
		load->duplicates++;
		return;
	}
	slot->received = 1;
	load->received++;
	load->misordered += seq <= pair->last_seq[peer];
	pair->last_seq[peer] = seq;
	if (is_measured(load, slot->sent_us))
		histogram_add(&load->to_received, now_us - slot->sent_us);
}

/* A refused message is settled too: the next one may be sent. */
static void take_refused(struct pairs_load *load, struct span code,
                         struct pair *pair, uint64_t now_us)
{
	load->errors++;
	(void)snprintf(load->last_error, sizeof(load->last_error), "%.*s",
	               (int)code.len, code.len ? code.data : "");
	if (pair && load->sending && !load->options->rate)
		send_next(load, pair, now_us);
}

static void take_text(void *context, struct client_socket *peer,
                      struct span text, uint64_t now_us)
{
	struct pairs_load *load = context;
	struct scanned_frame frame;
	struct pair *pair = NULL;
	struct slot *slot;

	(void)peer;
	if (!frame_scan(text, &frame)) {
		load->unexpected++;
		return;
	}
	slot = slot_of(load, frame.uuid, &pair);
	if (frame.kind == FRAME_WELCOME)
		load->welcomed++;
	else if (frame.kind == FRAME_REFUSED)
		take_refused(load, frame.code, pair, now_us);
	else if (!slot)
		load->unexpected++;
	else if (frame.kind == FRAME_SAVED)
		take_saved(load, pair, slot, now_us);
	else if (frame.kind == FRAME_MESSAGE)
		take_received(load, pair, slot, frame.seq, now_us);
	else if (frame.kind == FRAME_ACCEPTED)
		load->accepted++;
}

static void lost(void *context, struct client_socket *peer, const char *why)
{
	struct pairs_load *load = context;

	(void)peer;
	if (load->lost_sockets++ == 0)
		(void)fprintf(stderr, "a socket ended: %s\n", why);
}

static const struct client_sockets_events events = {.text = take_text,
                                                    .lost = lost};

/* --- the run ------------------------------------------------------------- */
static bool connect_all(struct pairs_load *load,
                        const struct user_tokens *users)
{
	uint64_t deadline_us = clock_mono_us() + (uint64_t)SETUP_S * SECOND_US;

	for (unsigned i = 0; i < load->pair_count; i++) {
		struct pair *pair = &load->pairs[i];
		const struct user_token *one = &users->users[(size_t)2 * i];
		const struct user_token *two = one + 1;

		load->users[2 * i] = one->id;
		load->users[2 * i + 1] = two->id;
		prepare(load, pair);
		if (client_sockets_connect(load->sockets, &pair->from, 2 * i,
		                           span_of(one->token)) != ST_OK ||
		    client_sockets_connect(load->sockets, &pair->to, 2 * i + 1,
		                           span_of(two->token)) != ST_OK)
			return false;
	}
	while (load->welcomed < 2 * load->pair_count && !load->lost_sockets &&
	       clock_mono_us() < deadline_us)
		client_sockets_poll(load->sockets, deadline_us);
	return load->welcomed == 2 * load->pair_count;
}

static void run_closed(struct pairs_load *load)
{
	for (unsigned i = 0; i < load->pair_count; i++) {
		for (uint64_t k = 0; k < load->options->in_flight; k++)
			send_next(load, &load->pairs[i], clock_mono_us());
	}
	while (clock_mono_us() < load->until_us && !load->lost_sockets)
		client_sockets_poll(load->sockets, load->until_us);
}

/*
 * At high rates the client pauses after each poll: see client_sockets_pause().
 * Measured times get later by it, never earlier.
 */
static void run_open(struct pairs_load *load, uint64_t start_us)
{
	uint64_t number = 0;
	uint64_t next_us = start_us;

	if (load->options->rate >= PAUSE_FROM_RATE)
		client_sockets_pause(load->sockets, PAUSE_US);

	while (next_us < load->until_us && !load->lost_sockets) {
		client_sockets_poll(load->sockets, next_us);
		while (next_us <= clock_mono_us() && next_us < load->until_us) {
			send_next(load, &load->pairs[number % load->pair_count],
			          next_us);
			number++;
			next_us = start_us +
			          number * SECOND_US / load->options->rate;
		}
	}
}

static bool is_complete(const struct pairs_load *load)
{
	return load->saved + load->errors >= load->sent &&
	       load->received >= load->saved;
}

static void drain(struct pairs_load *load)
{
	uint64_t deadline_us = clock_mono_us() + (uint64_t)DRAIN_S * SECOND_US;

	load->sending = false;
	while (!is_complete(load) && !load->lost_sockets &&
	       clock_mono_us() < deadline_us)
		client_sockets_poll(load->sockets, deadline_us);
	/* Duplicates arrive last. */
	deadline_us = clock_mono_us() + SECOND_US / 5;
	while (clock_mono_us() < deadline_us && !load->lost_sockets)
		client_sockets_poll(load->sockets, deadline_us);
}

static void run(struct pairs_load *load)
{
	const struct load_options *options = load->options;
	uint64_t start_us = clock_mono_us();

	load->from_us = start_us + options->warm_up_s * SECOND_US;
	load->until_us = load->from_us + options->seconds * SECOND_US;
	load->sending = true;
	if (options->rate)
		run_open(load, start_us);
	else
		run_closed(load);
	drain(load);
}

/* --- the result ---------------------------------------------------------- */
static bool is_clean(const struct pairs_load *load)
{
	return is_complete(load) && !load->errors && !load->duplicates &&
	       !load->misordered && !load->unexpected && !load->lost_sockets;
}

static void report(const struct pairs_load *load)
{
	const struct load_options *options = load->options;
	struct buf text CLEANUP(buf_free) = BUF(8192);
	struct json_writer w = json_writer(&text);

	json_open(&w);
	json_text(&w, "mode", SPAN("pairs"));
	json_number(&w, "pairs", load->pair_count);
	json_number(&w, "peers", options->peers);
	json_number(&w, options->rate ? "rate" : "in_flight",
	            options->rate ? options->rate : options->in_flight);
	json_number(&w, "text_bytes", options->size);
	json_number(&w, "seconds", options->seconds);
	json_double(&w, "saved_per_s",
	            (double)load->settled_in_time / (double)options->seconds);
	histogram_write(&load->to_saved, "saved_us", &w);
	histogram_write(&load->to_received, "received_us", &w);
	json_number(&w, "sent", load->sent);
	json_number(&w, "saved", load->saved);
	json_number(&w, "received", load->received);
	json_number(&w, "accepted", load->accepted);
	json_number(&w, "errors", load->errors);
	json_text(&w, "last_error", span_of(load->last_error));
	json_signed(&w, "lost_unsaved",
	            (int64_t)(load->sent - load->saved - load->errors));
	json_signed(&w, "lost_undelivered",
	            (int64_t)(load->saved - load->received));
	json_number(&w, "duplicates", load->duplicates);
	json_number(&w, "misordered", load->misordered);
	json_number(&w, "unexpected_frames", load->unexpected);
	json_number(&w, "lost_sockets", load->lost_sockets);
	json_bool(&w, "clean", is_clean(load));
	json_close(&w);
	(void)puts(buf_text(&text));
}

static void make_prefix(struct pairs_load *load)
{
	uint64_t when = clock_unix_ms();
	uint64_t random = random_u64();

	/* Rises with time like version 7, with custom fields: version 8. */
	(void)snprintf(
		load->prefix, sizeof(load->prefix), "%08x-%04x-8%03x-8%03x-",
		(unsigned)(when >> 16 & 0xffffffff), (unsigned)(when & 0xffff),
		(unsigned)(random & 0xfff), (unsigned)(random >> 12 & 0xfff));
}

static void release(struct pairs_load *load)
{
	for (unsigned i = 0; i < load->pair_count; i++) {
		struct pair *pair = &load->pairs[i];

		if (load->welcomed) {
			client_sockets_close(load->sockets, &pair->from);
			client_sockets_close(load->sockets, &pair->to);
		}
		mem_free(&pair->last_seq);
		mem_free(&pair->slots);
		mem_free(&pair->payload);
	}
	mem_free(&load->pairs);
	mem_free(&load->users);
	client_sockets_destroy(&load->sockets);
}

int pairs_run(const struct load_options *options)
{
	static struct pairs_load load;
	struct user_tokens users;
	struct address address;
	int code = EXIT_FAILED;

	load.options = options;
	load.pair_count = (unsigned)options->pairs;
	if (options->peers >= 2 * options->pairs) {
		(void)fprintf(stderr,
		              "--peers must be less than twice --pairs\n");
		return EXIT_USAGE;
	}
	if (!address_parse(options->url, &address) ||
	    user_tokens_read(options->tokens, 2 * load.pair_count, &users) !=
	            ST_OK ||
	    client_sockets_create(&address, &events, &load, &load.sockets) !=
	            ST_OK)
		return EXIT_USAGE;
	open_files_raise_limit();
	make_prefix(&load);
	load.pairs = mem_new(load.pair_count * sizeof(*load.pairs));
	load.users = mem_new(2 * load.pair_count * sizeof(*load.users));
	if (connect_all(&load, &users)) {
		run(&load);
		report(&load);
		code = is_clean(&load) ? EXIT_DONE : EXIT_FAILED;
	} else {
		(void)fprintf(stderr, "%u of %u sockets were welcomed\n",
		              load.welcomed, 2 * load.pair_count);
	}
	release(&load);
	user_tokens_free(&users);
	return code;
}
