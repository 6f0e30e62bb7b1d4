#include "identity-service/guess/guess_window.h"

#include <string.h>

enum { DOUBLINGS_MAX = 31 };

/* --- bytes, little-endian ------------------------------------------------- */
static void put(struct buf *bytes, uint64_t number, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		buf_byte(bytes, (char)(number >> 8 * i & 0xff));
}

static uint64_t get(const char **bytes, unsigned len)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < len; i++)
		number |= (uint64_t)(unsigned char)(*bytes)[i] << 8 * i;
	*bytes += len;
	return number;
}

static uint64_t slot_ms_of(const struct guess_rule *rule)
{
	return (rule->window_s * 1000 + GUESS_SLOTS - 2) / (GUESS_SLOTS - 1);
}

void guess_window_read(struct span bytes, const struct guess_rule *rule,
                       struct guess_window *ret_window)
{
	const char *at = bytes.data;

	*ret_window = (struct guess_window){.slot_ms = slot_ms_of(rule)};
	if (bytes.len != GUESS_WINDOW_BYTES ||
	    get(&at, 8) != ret_window->slot_ms)
		return;
	ret_window->newest = get(&at, 8);
	ret_window->free_at_ms = get(&at, 8);
	ret_window->refusals = (uint32_t)get(&at, 4);
	for (unsigned i = 0; i < GUESS_SLOTS; i++)
		ret_window->counts[i] = (uint32_t)get(&at, 4);
}

void guess_window_write(const struct guess_window *window, struct buf *bytes)
{
	put(bytes, window->slot_ms, 8);
	put(bytes, window->newest, 8);
	put(bytes, window->free_at_ms, 8);
	put(bytes, window->refusals, 4);
	for (unsigned i = 0; i < GUESS_SLOTS; i++)
		put(bytes, window->counts[i], 4);
}

/* --- the window ----------------------------------------------------------- */
/* A clock that went back counts into the newest slot. */
void guess_window_advance(struct guess_window *window, uint64_t now_ms)
{
	uint64_t slot = now_ms / window->slot_ms;

	if (slot <= window->newest)
		return;
	if (slot - window->newest >= GUESS_SLOTS)
		memset(window->counts, 0, sizeof(window->counts));
	else
		for (uint64_t n = window->newest + 1; n <= slot; n++)
			window->counts[n % GUESS_SLOTS] = 0;
	window->newest = slot;
}

uint64_t guess_window_failures(const struct guess_window *window)
{
	uint64_t failures = 0;

	for (unsigned i = 0; i < GUESS_SLOTS; i++)
		failures += window->counts[i];
	return failures;
}

static uint64_t wait_s(const struct guess_window *window,
                       const struct guess_rule *rule)
{
	uint64_t wait = (uint64_t)1 << window->refusals;

	return wait < rule->wait_max_s ? wait : rule->wait_max_s;
}

/* Past the limit: false until the wait of the last refusal has passed. */
static bool may_try_once(struct guess_window *window, uint64_t now_ms)
{
	if (window->refusals == 0 || now_ms < window->free_at_ms)
		return false;
	window->free_at_ms = UINT64_MAX;
	return true;
}

bool guess_window_try(struct guess_window *window,
                      const struct guess_rule *rule, uint64_t now_ms,
                      uint64_t *ret_slot, uint64_t *ret_wait_s)
{
	bool within;

	guess_window_advance(window, now_ms);
	within = guess_window_failures(window) < rule->max;
	if (within) {
		window->refusals = 0;
		window->free_at_ms = 0;
	}
	if (within || may_try_once(window, now_ms)) {
		window->counts[window->newest % GUESS_SLOTS]++;
		*ret_slot = window->newest;
		return true;
	}
	*ret_wait_s = wait_s(window, rule);
	window->free_at_ms = now_ms + *ret_wait_s * 1000;
	if (window->refusals < DOUBLINGS_MAX)
		window->refusals++;
	return false;
}

/* The moment in which enough old slots have left the window. */
static uint64_t room_at_ms(const struct guess_window *window, uint64_t max)
{
	uint64_t events = guess_window_failures(window);
	uint64_t slot = window->newest - (GUESS_SLOTS - 1);

	while (events >= max && slot < window->newest)
		events -= window->counts[slot++ % GUESS_SLOTS];
	return ((events >= max ? window->newest + 1 : slot) + GUESS_SLOTS - 1) *
	       window->slot_ms;
}

bool guess_window_count(struct guess_window *window,
                        const struct guess_rule *rule, uint64_t now_ms,
                        uint64_t *ret_wait_s)
{
	uint64_t room_ms;

	guess_window_advance(window, now_ms);
	if (guess_window_failures(window) < rule->max) {
		window->counts[window->newest % GUESS_SLOTS]++;
		return true;
	}
	room_ms = room_at_ms(window, rule->max);
	*ret_wait_s = room_ms > now_ms ? (room_ms - now_ms + 999) / 1000 : 1;
	return false;
}

void guess_window_undo(struct guess_window *window, uint64_t slot)
{
	bool kept =
		slot <= window->newest && window->newest - slot < GUESS_SLOTS;

	if (kept && window->counts[slot % GUESS_SLOTS] > 0)
		window->counts[slot % GUESS_SLOTS]--;
}

uint64_t guess_window_end_ms(const struct guess_window *window)
{
	return (window->newest + GUESS_SLOTS + 1) * window->slot_ms;
}
