/*
 * store - what outlives a page: session, outbox, and how far each conversation was shown.
 *
 * A store maps texts to values that can be cloned (structuredClone). All its methods return
 * promises. `name` is null, or equal in all tabs that share the store. Any object of this shape
 * will do; store-indexeddb.js has one for browsers.
 */
export class MemoryStore {
	name = null;
	#values = new Map();

	/* undefined if there is none. */
	async get(key) {
		return structuredClone(this.#values.get(key));
	}

	async set(key, value) {
		this.#values.set(key, structuredClone(value));
	}

	async delete(key) {
		this.#values.delete(key);
	}

	/* The values whose keys begin with `prefix`, in any order. */
	async list(prefix) {
		return [...this.#values].filter(([key]) => key.startsWith(prefix))
			.map(([, value]) => structuredClone(value));
	}

	async clear() {
		this.#values.clear();
	}
}
