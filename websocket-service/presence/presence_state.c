#include "websocket-service/presence/presence_state.h"

/* Clocks differ: an even score means "gone", also when it is in the future. */
struct presence_sample presence_sample_make(uint64_t score,
                                            uint64_t now_unix_ms)
{
	bool alive = score & 1;

	if (alive && score > now_unix_ms)
		return (struct presence_sample){SAMPLE_ONLINE, 0};
	return (struct presence_sample){alive ? SAMPLE_EXPIRED : SAMPLE_LEFT,
	                                score < now_unix_ms ? score
	                                                    : now_unix_ms};
}

void presence_state_init(struct presence_state *state,
                         const struct presence_sample *sample)
{
	*state = (struct presence_state){
		.online = sample->kind == SAMPLE_ONLINE,
		.last_seen_ms = sample->last_seen_ms,
	};
}

/* Whether the sample, a sign of leaving, confirms that the user has left. */
static bool confirm_leaving(struct presence_state *state,
                            const struct presence_sample *sample,
                            uint64_t now_ms, uint64_t grace_until_ms)
{
	uint64_t needed_ms =
		sample->kind == SAMPLE_ABSENT ? PRESENCE_STATE_ABSENT_MS : 1;

	if (!state->leaving) {
		state->leaving = true;
		state->leaving_since_ms = now_ms;
	}
	return now_ms >= state->leaving_since_ms + needed_ms &&
	       now_ms >= grace_until_ms;
}

bool presence_state_update(struct presence_state *state,
                           const struct presence_sample *sample,
                           uint64_t now_ms, uint64_t grace_until_ms)
{
	bool was_online = state->online;

	if (sample->last_seen_ms)
		state->last_seen_ms = sample->last_seen_ms;
	if (sample->kind == SAMPLE_ONLINE) {
		state->online = true;
		state->leaving = false;
	} else if (sample->kind == SAMPLE_LEFT ||
	           confirm_leaving(state, sample, now_ms, grace_until_ms)) {
		state->online = false;
	}
	return state->online != was_online;
}

uint64_t presence_state_last_seen(const struct presence_state *state)
{
	if (state->online)
		return 0;
	return state->last_seen_ms ? state->last_seen_ms : UINT64_MAX;
}
