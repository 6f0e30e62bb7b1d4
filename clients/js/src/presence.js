/*
 * presence - whose presence the user watches, and where the user types. Neither outlives the
 * connection: subscriptions are made again on each, typing is not kept.
 */
const USERS_MAX = 60;
const TYPING_MS = 2100;

export class Presence {
	#users = new Set();
	#typed_at = new Map();

	/* send: sends a frame; returns false without a connection. */
	constructor(send) {
		this.send = send;
	}

	/* Adds to the subscriptions; an empty list ends them all. */
	watch(users) {
		if (!users.length)
			this.#users.clear();
		const added = users.filter(user => !this.#users.has(user));
		added.forEach(user => this.#users.add(user));
		this.#ask(users.length ? users : null);
	}

	watches(user) {
		return this.#users.has(user);
	}

	connected() {
		if (this.#users.size)
			this.#ask([...this.#users]);
	}

	#ask(users) {
		if (!users)
			this.send({ type: 'presence', users: [] });
		for (let at = 0; at < users?.length; at += USERS_MAX)
			this.send({ type: 'presence', users: users.slice(at, at + USERS_MAX) });
	}

	/* May be called for each key: the server hears it every two seconds. */
	typing(conversation) {
		const now = Date.now();
		if (now - (this.#typed_at.get(conversation) || 0) < TYPING_MS)
			return;
		if (this.send({ type: 'typing', conversation }))
			this.#typed_at.set(conversation, now);
	}

	clear() {
		this.#users.clear();
		this.#typed_at.clear();
	}
}
