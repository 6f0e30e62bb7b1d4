/**
 * people - who has which id: names and profiles, asked for many at once, and presence.
 *
 * A person is {id, name, display_name, about, avatar_url}; of a deleted account {id, name, deleted}.
 * The store keeps what is known, so that names are there without a connection.
 */
const IDS_MAX = 100;
const WAIT_MS = 10;
const KEPT_MAX = 1000;
const SAVE_WAIT_MS = 200;
const WATCHED_MAX = 500;

export class People {
	/* Rises with each change. */
	version = 0;
	#known = new Map();
	#presence = new Map();
	#wanted = new Set();
	#asked = new Set();
	#watched = new Set();
	#timer = null;
	#saving = null;

	/* changed: is called when something about people has changed. */
	constructor({ client, store, changed }) {
		Object.assign(this, { client, store });
		this.changed = () => {
			this.version += 1;
			changed();
		};
		client.on("presence", ({ users }) => {
			for (const { user, ...presence } of users) {
				this.#presence.set(user, presence);
			}
			this.changed();
		});
	}

	async load() {
		for (const person of await this.store.get("people") ?? []) {
			if (!this.#known.has(person.id)) {
				this.#known.set(person.id, person);
			}
		}
		this.changed();
	}

	/** undefined until the server has told; asks it. */
	get(id) {
		if (!this.#asked.has(id)) {
			this.#want(id);
		}
		return this.#known.get(id);
	}

	/** Whether the server knows nobody of this id. */
	isMissing(id) {
		return Boolean(id && this.get(id)?.deleted);
	}

	/** The name to show. */
	name(id) {
		return this.get(id)?.name ?? "…";
	}

	/** Asks again: a profile may have changed. */
	refresh(ids) {
		ids.forEach((id) => this.#want(id));
	}

	async find(name) {
		const person = await this.client.request("GET", `/auth/users?name=${encodeURIComponent(name)}`);
		this.update(person);
		return person;
	}

	/** The server has told of this person otherwise. */
	update({ id, name, display_name, about, avatar_url }) {
		this.#known.set(id, { id, name, display_name, about, avatar_url });
		this.#asked.add(id);
		this.#told();
	}

	presence(id) {
		return this.#presence.get(id);
	}

	/** Watches the presence of these as well. The server has a limit; who comes first is watched. */
	watch(ids) {
		const added = ids.filter((id) => !this.#watched.has(id)).slice(0, WATCHED_MAX - this.#watched.size);
		if (added.length) {
			added.forEach((id) => this.#watched.add(id));
			this.client.presence(added);
		}
	}

	/** Asks for those again that could not be asked for. */
	connected() {
		this.#plan();
	}

	clear() {
		for (const all of [this.#known, this.#presence, this.#wanted, this.#asked, this.#watched]) {
			all.clear();
		}
		clearTimeout(this.#saving);
		this.#saving = null;
	}

	#want(id) {
		this.#asked.add(id);
		this.#wanted.add(id);
		this.#plan();
	}

	#plan() {
		if (this.#wanted.size) {
			this.#timer ??= setTimeout(() => this.#ask(), WAIT_MS);
		}
	}

	async #ask() {
		const ids = [...this.#wanted].slice(0, IDS_MAX);
		const user = this.client.user?.id;
		ids.forEach((id) => this.#wanted.delete(id));
		try {
			if (user) {
				const { users } = await this.client.request("GET", `/auth/users?ids=${ids.join(",")}`);
				if (this.client.user?.id === user) {
					this.#learn(ids, users);
				}
			}
		} catch {
			// What could not be asked now is asked when the connection is back, see connected().
			ids.forEach((id) => this.#wanted.add(id));
			this.#timer = null;
			return;
		}
		this.#timer = null;
		this.#plan();
	}

	#learn(ids, users) {
		for (const id of ids) {
			this.#known.set(id, users.find((one) => one.id === id) ?? { id, name: "deleted user", deleted: true });
		}
		this.#told();
	}

	#told() {
		this.changed();
		this.#saving ??= setTimeout(() => {
			this.#saving = null;
			this.store.set("people", [...this.#known.values()].slice(-KEPT_MAX)).catch(() => {});
		}, SAVE_WAIT_MS);
	}
}
