/*
 * The order of the frames of a socket, with a fake clock, a fake
 * identity-service, and keys that the test answers.
 */
#include "common/base/mem.h"
#include "common/client/identity_client.h"
#include "common/wire/frame.h"
#include "tests/support/fake_clock.h"
#include "websocket-service/receive/conversation_keys.h"
#include "websocket-service/receive/error_frame.h"
#include "websocket-service/receive/frame_order.h"
#include "websocket-service/socket/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	ME = 5,
	FRAMES_MAX = 600,
	UNSETTLED_MAX = 300,
	WAITERS_MAX = FRAMES_MAX,
};

/* Conversations: 17 is that of ME and 2, 18 of ME and 3, 20 of ME alone. */
#define TRUTH "17=d:2:5,18=d:3:5,20=d:5:5,19=c:19,16=d:2:3,21="

/* --- a socket ------------------------------------------------------------ */
struct connection {
	unsigned unsettled;
	bool open;
};

static struct connection me;

struct connection *connections_find(const struct connections *connections,
                                    uint64_t id)
{
	(void)connections;
	assert_int_equal(id, 1);
	return me.open ? &me : NULL;
}

uint64_t connection_id(const struct connection *connection)
{
	(void)connection;
	return 1;
}

uint64_t connection_user(const struct connection *connection)
{
	(void)connection;
	return ME;
}

struct span connection_token(const struct connection *connection)
{
	(void)connection;
	return SPAN("token");
}

unsigned *connection_unsettled(struct connection *connection)
{
	return &connection->unsettled;
}

/* --- what became of the frames, by number ------------------------------- */
/* The number of a frame is its text, or its seq. */
struct fate {
	unsigned passed; /* how often */
	unsigned refused;
	unsigned turn; /* of the pass */
	uint64_t user_to, conversation;
	enum frame_code code;
};

static struct fate fates[FRAMES_MAX];
static unsigned turns;
static bool closes_when_passed;

static unsigned number_of(const struct client_frame *frame)
{
	return (unsigned)(frame->kind == CLIENT_MESSAGE ? frame->reply_to
	                                                : frame->seq);
}

static void on_pass(void *context, struct connection *connection,
                    const struct client_frame *frame, uint64_t began_us)
{
	struct fate *fate = &fates[number_of(frame)];
	char text[32];

	(void)context;
	assert_ptr_equal(connection, &me);
	assert_true(me.open);
	assert_int_equal(began_us, number_of(frame));
	if (frame->kind == CLIENT_MESSAGE) {
		snprintf(text, sizeof(text), "text %u", number_of(frame));
		assert_true(span_equal(frame->message, span_of(text)));
	}
	fate->passed++;
	fate->turn = ++turns;
	fate->user_to = frame->user_to;
	fate->conversation = frame->conversation;
	me.open = !closes_when_passed;
}

static void refused(unsigned number, enum frame_code code)
{
	fates[number].refused++;
	fates[number].code = code;
}

void error_frame_send_state(struct connection *connection,
                            const struct uuid *uuid, enum frame_code code,
                            const char *detail)
{
	unsigned number;

	(void)connection;
	assert_non_null(detail);
	memcpy(&number, uuid->byte, sizeof(number));
	refused(number, code);
}

/* --- identity: users above 100 have to be asked for ---------------------- */
static struct identity_waiter *waiters[WAITERS_MAX];
static uint64_t waited_for[WAITERS_MAX];

bool identity_client_peek(struct identity_client *client,
                          const struct identity_request *request,
                          struct identity_response *ret_response)
{
	(void)client;
	*ret_response = (struct identity_response){
		.status = request->user == 100 ? ST_NOT_FOUND : ST_OK};
	return request->user <= 100;
}

bool identity_client_get(struct identity_client *client,
                         const struct identity_request *request,
                         struct identity_waiter *waiter,
                         struct identity_response *ret_response)
{
	unsigned i = 0;

	(void)client;
	(void)ret_response;
	assert_true(span_equal(request->token, SPAN("token")));
	while (waiters[i])
		i++;
	assert_true(i < WAITERS_MAX);
	waiters[i] = waiter;
	waited_for[i] = request->user;
	return false;
}

void identity_client_cancel(struct identity_waiter *waiter)
{
	for (unsigned i = 0; i < WAITERS_MAX; i++)
		if (waiters[i] == waiter)
			waiters[i] = NULL;
}

static void identity_answers(uint64_t user, enum status status)
{
	for (unsigned i = 0; i < WAITERS_MAX; i++) {
		struct identity_waiter *waiter = waiters[i];

		if (!waiter || waited_for[i] != user)
			continue;
		waiters[i] = NULL;
		waiter->done(waiter->context,
		             &(struct identity_response){.status = status});
	}
}

/* --- the modules under test ---------------------------------------------- */
static struct conversation_keys *keys;
static struct frame_order *order;

static uint64_t latest_query;

static void on_query(void *context, uint64_t number, uint64_t user,
                     struct span conversations)
{
	(void)context;
	(void)conversations;
	assert_int_equal(user, ME);
	latest_query = number;
}

static void on_key(void *context, uint64_t conversation)
{
	(void)context;
	(void)conversation;
}

static void on_keys(void *context)
{
	(void)context;
	frame_order_keys_known(order);
}

static int start(void **state)
{
	(void)state;
	clock_ms = 1000000;
	me = (struct connection){.open = true};
	memset(fates, 0, sizeof(fates));
	memset(waiters, 0, sizeof(waiters));
	turns = 0;
	closes_when_passed = false;
	keys = conversation_keys_create(&(struct conversation_keys_options){
		.keys_max = 100,
		.query = on_query,
		.learned = on_key,
		.answered = on_keys,
	});
	order = frame_order_create(&(struct frame_order_options){
		.keys = keys,
		.unsettled_max = UNSETTLED_MAX,
		.pass = on_pass,
	});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	frame_order_destroy(&order);
	conversation_keys_destroy(&keys);
	for (unsigned i = 0; i < WAITERS_MAX; i++)
		assert_null(waiters[i]);
	return order != NULL;
}

static void persistence_answers(const char *answer)
{
	conversation_keys_flush(keys);
	conversation_keys_answered(keys, latest_query, span_of(answer));
}

static void pass_ms(uint64_t ms)
{
	clock_ms += ms;
	conversation_keys_tick(keys);
	frame_order_tick(order);
}

static void send(enum client_frame_kind kind, unsigned number, uint64_t user_to,
                 uint64_t conversation)
{
	struct client_frame frame = {
		.kind = kind,
		.user_to = user_to,
		.conversation = conversation,
	};
	char text[32]; /* does not outlive the call */

	memcpy(frame.uuid.byte, &number, sizeof(number));
	if (kind == CLIENT_MESSAGE) {
		snprintf(text, sizeof(text), "text %u", number);
		frame.message = span_of(text);
		frame.reply_to = number;
	} else {
		frame.seq = number;
	}
	frame_order_take(order, &me, &frame, number);
	memset(text, 'x', sizeof(text));
}

static void send_to(unsigned number, uint64_t user_to)
{
	send(CLIENT_MESSAGE, number, user_to, 0);
}

static void send_in(unsigned number, uint64_t conversation)
{
	send(CLIENT_MESSAGE, number, 0, conversation);
}

static void assert_passed(unsigned number, unsigned turn, uint64_t user_to,
                          uint64_t conversation)
{
	const struct fate *fate = &fates[number];

	if (fate->passed != 1 || fate->refused || fate->turn != turn ||
	    fate->user_to != user_to || fate->conversation != conversation)
		fail_msg("%u: passed %u, refused %u, turn %u, to %u in %u",
		         number, fate->passed, fate->refused, fate->turn,
		         (unsigned)fate->user_to, (unsigned)fate->conversation);
}

static void assert_held(unsigned number)
{
	assert_int_equal(fates[number].passed + fates[number].refused, 0);
}

static void assert_refused(unsigned number, enum frame_code code)
{
	assert_int_equal(fates[number].passed, 0);
	assert_int_equal(fates[number].refused, 1);
	assert_int_equal(fates[number].code, code);
}

/* --- tests --------------------------------------------------------------- */
static void each_kind_passes_with_its_key(void **state)
{
	static const struct {
		enum client_frame_kind kind;
		uint64_t user_to, conversation;      /* sent */
		uint64_t then_to, then_conversation; /* passed on */
	} rows[] = {
		{CLIENT_MESSAGE, 2, 0, 2, 0},   {CLIENT_MESSAGE, 0, 17, 2, 0},
		{CLIENT_MESSAGE, ME, 0, ME, 0}, {CLIENT_MESSAGE, 0, 20, ME, 0},
		{CLIENT_MESSAGE, 0, 19, 0, 19}, {CLIENT_MESSAGE, 0, 21, 0, 21},
		{CLIENT_EDIT, 0, 17, 2, 17},    {CLIENT_EDIT, 0, 19, 0, 19},
		{CLIENT_DELETE, 0, 17, 2, 17},  {CLIENT_DELETE, 0, 19, 0, 19},
		{CLIENT_REACT, 0, 17, 2, 17},   {CLIENT_REACT, 0, 19, 0, 19},
		{CLIENT_DELETE, 0, 20, ME, 20}, {CLIENT_TYPING, 0, 17, 2, 17},
		{CLIENT_TYPING, 0, 19, 0, 19},
	};

	(void)state;
	/* Once with a look-up, once with keys that are known, except of 21. */
	for (unsigned known = 0; known < 2; known++) {
		unsigned base = known * ARRAY_LEN(rows);

		for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
			send(rows[i].kind, base + i, rows[i].user_to,
			     rows[i].conversation);
		persistence_answers(TRUTH);
		for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
			assert_passed(base + i, base + i + 1, rows[i].then_to,
			              rows[i].then_conversation);
	}
	assert_int_equal(me.unsettled, 0);
}

static void alternating_names_of_one_pair_keep_their_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 120; i += 2) {
		send_to(i, 2);
		send_in(i + 1, 17);
	}
	assert_passed(0, 1, 2, 0);
	assert_held(1);
	assert_held(2);
	assert_int_equal(me.unsettled, 119);
	persistence_answers(TRUTH);
	for (unsigned i = 0; i < 120; i++)
		assert_passed(i, i + 1, 2, 0);
	assert_int_equal(me.unsettled, 0);
}

static void an_unknown_recipient_holds_only_its_own_conversation(void **state)
{
	(void)state;
	persistence_answers("101=d:5:101,17=d:2:5");
	send_to(0, 101);
	send_in(1, 101);
	send_to(2, 2);
	send_in(3, 17);
	send_in(4, 19); /* might be anything */
	send_to(5, 101);
	assert_held(0);
	assert_held(1);
	assert_passed(2, 1, 2, 0);
	assert_passed(3, 2, 2, 0);
	assert_held(4);
	send_to(6, 2); /* 19 might be the conversation with 2 */
	assert_held(6);
	persistence_answers(TRUTH);
	assert_passed(4, 3, 0, 19);
	assert_passed(6, 4, 2, 0);
	assert_held(5);
	identity_answers(101, ST_OK);
	assert_passed(0, 5, 101, 0);
	assert_passed(1, 6, 101, 0);
	assert_passed(5, 7, 101, 0);
}

static void a_refused_frame_lets_the_others_pass(void **state)
{
	static const struct {
		enum status status;
		enum frame_code code;
	} rows[] = {
		{ST_NOT_FOUND, FRAME_UNKNOWN_USER},
		{ST_UNAVAILABLE, FRAME_UNAVAILABLE},
		{ST_DENIED, FRAME_UNAVAILABLE},
	};

	(void)state;
	persistence_answers("101=d:5:101");
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned turn = turns;

		send_to(i * 2, 101);
		send_in(i * 2 + 1, 101);
		assert_held(i * 2 + 1);
		identity_answers(101, rows[i].status);
		assert_refused(i * 2, rows[i].code);
		assert_passed(i * 2 + 1, turn + 1, 101, 0);
	}
	send_to(50, 100); /* known not to exist */
	assert_refused(50, FRAME_UNKNOWN_USER);
	assert_int_equal(me.unsettled, 0);
}

static void a_stranger_is_refused(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		unsigned base = known * 10;

		send_in(base, 16);
		send(CLIENT_EDIT, base + 1, 0, 16);
		send(CLIENT_REACT, base + 2, 0, 16);
		send(CLIENT_DELETE, base + 3, 0, 16);
		send(CLIENT_TYPING, base + 4, 0, 16);
		persistence_answers(TRUTH);
		for (unsigned i = 0; i < 4; i++)
			assert_refused(base + i, FRAME_UNKNOWN_CONVERSATION);
		assert_held(base + 4); /* `typing` has no answer */
	}
	assert_int_equal(me.unsettled, 0);
	assert_int_equal(turns, 0);
}

static void without_an_answer_a_frame_waits_one_second(void **state)
{
	(void)state;
	send_in(0, 17);
	pass_ms(500);
	send_in(1, 18);
	send(CLIENT_DELETE, 2, 0, 17);
	send(CLIENT_TYPING, 3, 0, 17);
	send_to(4, 2);
	pass_ms(CONVERSATION_KEYS_WAIT_MS - 501);
	assert_held(0);
	pass_ms(1);
	assert_refused(0, FRAME_UNAVAILABLE);
	assert_held(1);
	assert_held(4);
	pass_ms(500);
	assert_refused(1, FRAME_UNAVAILABLE);
	assert_refused(2, FRAME_UNAVAILABLE);
	assert_held(3); /* dropped */
	assert_passed(4, 1, 2, 0);
	assert_int_equal(me.unsettled, 0);
	/* The next try asks again. */
	send_in(5, 17);
	assert_held(5);
	persistence_answers(TRUTH);
	assert_passed(5, 2, 2, 0);
}

static void what_a_socket_and_all_may_hold_is_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= UNSETTLED_MAX; i++)
		send_in(i, 17);
	assert_held(UNSETTLED_MAX - 1);
	assert_refused(UNSETTLED_MAX, FRAME_TOO_MANY_UNSETTLED);
	for (unsigned i = 0; i < FRAME_ORDER_HELD_MAX - UNSETTLED_MAX; i++) {
		me.unsettled = 0; /* as if these were other sockets */
		send(CLIENT_TYPING, 502, 0, 17);
	}
	me.unsettled = 0;
	send_in(503, 17);
	assert_refused(503, FRAME_UNAVAILABLE);
	send(CLIENT_TYPING, 504, 0, 17);
	assert_held(504);
	me.unsettled = FRAME_ORDER_HELD_MAX;
	persistence_answers(TRUTH);
	assert_int_equal(me.unsettled, 0);
	assert_int_equal(fates[502].passed,
	                 FRAME_ORDER_HELD_MAX - UNSETTLED_MAX);
	assert_int_equal(fates[504].passed, 0);
}

/* The texts fill their bound long before the frames do. */
static void the_texts_that_wait_are_bounded(void **state)
{
	static char text[16 * 1024];
	const unsigned fit = FRAME_ORDER_HELD_BYTES / sizeof(text);
	struct client_frame frame = {
		.kind = CLIENT_EDIT,
		.conversation = 17,
		.message = span_make(text, sizeof(text)),
	};

	(void)state;
	assert_true(fit < FRAME_ORDER_HELD_MAX);
	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i <= fit; i++) {
		unsigned number = i == fit;

		me.unsettled = 0; /* as if these were other sockets */
		memcpy(frame.uuid.byte, &number, sizeof(number));
		frame.seq = number;
		frame_order_take(order, &me, &frame, number);
	}
	assert_held(0);
	assert_refused(1, FRAME_UNAVAILABLE);
	me.unsettled = fit;
	persistence_answers(TRUTH);
	assert_int_equal(fates[0].passed, fit);
	/* There is room again. */
	send_in(2, 18);
	assert_passed(2, fit + 1, 3, 0);
}

static void a_closed_socket_sends_nothing_more(void **state)
{
	(void)state;
	send_in(0, 17);
	send_to(1, 101);
	send_to(2, 101);
	me.open = false;
	persistence_answers(TRUTH);
	identity_answers(101, ST_OK);
	pass_ms(2000);
	assert_int_equal(turns, 0);
}

static void passing_a_frame_may_close_the_socket(void **state)
{
	(void)state;
	closes_when_passed = true;
	send_in(0, 17);
	send_in(1, 17);
	persistence_answers(TRUTH);
	assert_passed(0, 1, 2, 0);
	assert_held(1);
}

/* Any mixture of frames and answers keeps the order of each conversation. */
static void any_mixture_keeps_the_order(void **state)
{
	static const struct {
		uint64_t user_to, conversation;
	} names[] = {
		{2, 0},   {0, 17},  {3, 0},   {0, 18}, {0, 19}, {0, 22},
		{101, 0}, {0, 201}, {102, 0}, {ME, 0}, {0, 20},
	};
	static const unsigned conversation_of[] = {0, 0, 1, 1, 2, 3,
	                                           4, 4, 5, 6, 6};
	static const char *const answers[] = {
		"17=d:2:5", "18=d:3:5", "19=c:19",
		"22=c:22",  "20=d:5:5", "201=d:5:101",
	};

	for (unsigned seed = 1; seed <= 300; seed++) {
		unsigned last[ARRAY_LEN(names)] = {0};
		unsigned dice = seed, count = 0;
		unsigned named[UNSETTLED_MAX];

		(void)stop(state);
		(void)start(state);
		while (count < 60) {
			dice = dice * 1103515245u + 12345u;
			switch ((dice >> 16) % 8) {
			case 0:
				persistence_answers(answers[(dice >> 20) % 6]);
				break;
			case 1:
				identity_answers(101 + (dice >> 20) % 2, ST_OK);
				break;
			default:
				named[count] = (dice >> 20) % ARRAY_LEN(names);
				send(CLIENT_MESSAGE, count,
				     names[named[count]].user_to,
				     names[named[count]].conversation);
				count++;
			}
		}
		for (unsigned i = 0; i < 6; i++)
			persistence_answers(answers[i]);
		identity_answers(101, ST_OK);
		identity_answers(102, ST_OK);
		for (unsigned i = 0; i < count; i++) {
			unsigned *before = &last[conversation_of[named[i]]];

			assert_int_equal(fates[i].passed, 1);
			if (fates[i].turn <= *before)
				fail_msg("seed %u: frame %u is overtaken", seed,
				         i);
			*before = fates[i].turn;
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_kind_passes_with_its_key),
		TEST(alternating_names_of_one_pair_keep_their_order),
		TEST(an_unknown_recipient_holds_only_its_own_conversation),
		TEST(a_refused_frame_lets_the_others_pass),
		TEST(a_stranger_is_refused),
		TEST(without_an_answer_a_frame_waits_one_second),
		TEST(what_a_socket_and_all_may_hold_is_bounded),
		TEST(the_texts_that_wait_are_bounded),
		TEST(a_closed_socket_sends_nothing_more),
		TEST(passing_a_frame_may_close_the_socket),
		TEST(any_mixture_keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
