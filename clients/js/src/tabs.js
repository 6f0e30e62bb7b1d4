/*
 * tabs - what the clients that share one store need of each other: exclusion and messages.
 *
 * Clients of one process share through the store object. A store with a name is shared by the
 * tabs of an origin: through Web Locks and a BroadcastChannel, where the browser has them. (Web
 * Locks need a secure context: https, or a loopback address.)
 */
const rooms = new WeakMap();

function room_of(store) {
	if (!rooms.has(store))
		rooms.set(store, { clients: new Set(), queues: new Map() });
	return rooms.get(store);
}

export class Tabs {
	#room;
	#name;
	#locks;
	#channel = null;
	#release = null;

	/* heard: gets the messages of the other clients. */
	constructor(store, id, heard) {
		this.id = id;
		this.heard = heard;
		this.#room = room_of(store);
		this.#name = store.name && `parley/${store.name}`;
		this.#locks = this.#name ? globalThis.navigator?.locks : undefined;
	}

	/* From now on messages arrive, and others see that this client lives. */
	join() {
		if (this.#release)
			return;
		this.#room.clients.add(this);
		this.#release = () => {};
		this.#locks?.request(this.#lock(this.id), () =>
			new Promise(resolve => { this.#release = resolve; })).catch(() => {});
		if (this.#name && globalThis.BroadcastChannel) {
			this.#channel = new BroadcastChannel(this.#name);
			this.#channel.unref?.(); /* Node: does not keep the process alive. */
			this.#channel.onmessage = event => this.heard(event.data);
		}
	}

	leave() {
		this.#room.clients.delete(this);
		this.#release?.();
		this.#release = null;
		this.#channel?.close();
		this.#channel = null;
	}

	tell(message) {
		for (const other of this.#room.clients)
			if (other !== this)
				queueMicrotask(() => other.heard(message));
		this.#channel?.postMessage(message);
	}

	/* Runs `work` while no other client runs work under this key; returns its promise. */
	async exclusive(key, work) {
		const { queues } = this.#room;
		const before = queues.get(key);
		const mine = (async () => {
			await before?.catch(() => {});
			return this.#locks ? this.#locks.request(this.#lock(key), work) : work();
		})();
		queues.set(key, mine);
		return mine;
	}

	/* The ids of the clients that live, or null if this cannot be known. */
	async alive() {
		const ids = [...this.#room.clients].map(client => client.id);
		if (!this.#name)
			return new Set(ids);
		if (!this.#locks)
			return null;
		const { held } = await this.#locks.query();
		return new Set([...ids, ...held.map(lock => lock.name.slice(this.#name.length + 1))]);
	}

	#lock(key) {
		return `${this.#name}/${key}`;
	}
}
