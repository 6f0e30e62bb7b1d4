/*
 * backoff - the time before the next attempt: random between 0 and a bound that doubles with
 * each failure ("full jitter"), so that many clients do not come back at the same moment.
 */
export class Backoff {
	#bound_ms;

	constructor({ first_ms = 250, most_ms = 15000, random = Math.random } = {}) {
		Object.assign(this, { first_ms, most_ms, random });
		this.reset();
	}

	reset() {
		this.#bound_ms = this.first_ms;
	}

	/* The next bound is at least this. */
	raise(bound_ms) {
		this.#bound_ms = Math.max(this.#bound_ms, bound_ms);
	}

	/* Milliseconds to wait. at_least_ms: what the server asks for. */
	next(at_least_ms = 0) {
		const wait_ms = this.random() * this.#bound_ms;
		this.#bound_ms = Math.min(this.#bound_ms * 2, Math.max(this.most_ms, this.first_ms));
		return at_least_ms + wait_ms;
	}
}
