/**
 * chat - the state of the page: who is signed in, the conversations, people, and the timeline of each
 * conversation that was opened. It knows no document. Views read it, and listen to its topics:
 *
 *	user      somebody has signed in or out
 *	status    of the connection
 *	list      the conversations
 *	people    names, profiles, presence
 *	address   another conversation is to be shown
 *	timeline  what is shown of the open conversation
 *	notice    something went wrong that the user did
 */
import { Drafts } from "./drafts.js";
import { People } from "./people.js";
import { Timeline } from "./timeline.js";
import { Topics } from "./topics.js";

const OPENED_MAX = 8;
const ENTRIES = ["message", "member"];
const CHANGES = ["edit", "delete", "reaction", "revised"];

export class Chat {
	#topics = new Topics();
	#byId = new Map();
	#sorted = null;
	/* The key of a conversation -> its timeline; the last one was opened last. */
	#timelines = new Map();
	#place;

	/* What the user is to be told, a text; the topic `notice` tells that it is new. */
	notice = null;
	/* Why nobody is signed in any more: ended, signed_out, another_user; null. */
	ended = null;

	/**
	 * client     of the SDK, not connected
	 * store      of this client; it is erased with the session
	 * storage    for the drafts, see drafts.js
	 * place      {get(), set(address, {replace})}: the address of the page, "/17", "/user/5" or "/"
	 * isSeen     () -> whether the user sees the page
	 * arrived    is called with each message of others that arrives
	 */
	constructor({ client, store, storage, place, isSeen, arrived }) {
		Object.assign(this, { client, store, isSeen, arrived });
		this.#place = place;
		this.drafts = new Drafts(storage);
		this.people = new People({ client, store, changed: () => this.#topics.tell("people") });
		this.#listen();
	}

	get user() {
		return this.client.user;
	}

	get status() {
		return this.client.status;
	}

	/** Calls `listener` after changes of a topic; the result ends that. */
	changed(topic, listener) {
		return this.#topics.on(topic, listener);
	}

	/* --- who ----------------------------------------------------------------------------- */
	/** Goes on with the session that the browser has; false if it has none. */
	async begin() {
		if (!await this.client.restore()) {
			return false;
		}
		await this.people.load();
		this.#enter();
		return true;
	}

	/** how: "login" or "register". */
	async signIn(how, name, password) {
		await this.client[how](name, password);
		this.#enter();
	}

	#enter() {
		this.ended = null;
		this.drafts.keepOnly(this.user.id);
		this.people.get(this.user.id);
		this.client.connect().catch((error) => this.#failed(error));
		this.client.conversations().catch(() => {});
		this.#topics.tell("user");
		this.#readAddress();
	}

	/** Erases everything, also if the server cannot be told. */
	async signOut() {
		try {
			await this.client.logout();
		} catch (error) {
			if (!error.retryable) {
				throw error;
			}
		}
	}

	#over(reason) {
		this.ended = reason;
		if (reason !== "ended") {
			this.drafts.keepOnly(null);
			this.go("/", { replace: true });
		}
		this.#byId.clear();
		this.#sorted = null;
		this.#timelines.forEach((timeline) => timeline.close());
		this.#timelines.clear();
		this.people.clear();
		this.store.delete("people").catch(() => {});
		this.#topics.tell("user");
	}

	/* --- where ------------------------------------------------------------------------------ */
	/** {conversation: 17}, {user: 5} or {}. */
	get address() {
		const [, user, id] = /^\/(user\/)?([1-9][0-9]{0,15})$/.exec(this.#place.get()) ?? [];
		return !id ? {} : user ? { user: Number(id) } : { conversation: Number(id) };
	}

	go(address, options) {
		this.#place.set(address, options);
	}

	/** The address has changed. */
	moved() {
		this.#readAddress();
	}

	/* A direct conversation that exists has one address. */
	#readAddress() {
		const { user } = this.address;
		const direct = user && this.direct(user);
		if (direct) {
			this.go(`/${direct.id}`, { replace: true });
		}
		this.#topics.tell("address");
	}

	/* --- conversations --------------------------------------------------------------------------- */
	/** Newest first. */
	get conversations() {
		return this.#sorted ??= [...this.#byId.values()].sort((a, b) => latest(b) - latest(a) || b.id - a.id);
	}

	conversation(id) {
		return this.#byId.get(id);
	}

	/** The direct conversation with this user, or undefined. */
	direct(user) {
		return this.conversations.find((one) => one.with?.id === user);
	}

	/** Whether the server says that there is no such conversation for this user. */
	async isMissing(id) {
		try {
			await this.client.request("GET", `/conversations/${id}`);
			return false;
		} catch ({ status }) {
			return status === 404 && !this.conversation(id);
		}
	}

	/** The name to show. */
	nameOf(conversation) {
		return conversation.with ? this.people.name(conversation.with.id) : conversation.name ?? "";
	}

	get unread() {
		return this.conversations.reduce((sum, { unread }) => sum + unread, 0);
	}

	/** The timeline of the address, opened; null if there is no such conversation (yet). */
	open() {
		const { conversation: id, user } = this.address;
		const conversation = id && this.conversation(id);
		const other = user ?? conversation?.with?.id;
		const isSomebody = user && this.people.get(user) && !this.people.isMissing(user);
		if (!conversation && !isSomebody) {
			return null;
		}
		const key = keyOf(other, id);
		const timeline = this.#timelines.get(key) ?? this.#begin(key, id ?? null, other);
		this.#timelines.delete(key);
		this.#timelines.set(key, timeline);
		for (const [oldest, { pending }] of this.#timelines) {
			if (this.#timelines.size > OPENED_MAX && !pending.size) {
				this.#timelines.get(oldest).close();
				this.#timelines.delete(oldest);
			}
		}
		if (other) {
			this.people.refresh([other]);
			this.people.watch([other]);
		}
		timeline.open(conversation);
		return timeline;
	}

	/** Whether this timeline is the one that the address names. */
	isOpen(timeline) {
		const { conversation, user } = this.address;
		return Boolean(timeline) && this.#timelines.get(timeline.key) === timeline &&
			(conversation ? timeline.id === conversation : user && timeline.user === user);
	}

	#begin(key, id, user) {
		const timeline = new Timeline({
			key, id, user, client: this.client,
			changed: () => this.#topics.tell("timeline"),
			failed: (error) => this.#failed(error),
		});
		timeline.loadMembers();
		return timeline;
	}

	#timelineOf(id) {
		return this.#timelines.get(keyOf(this.conversation(id)?.with?.id, id));
	}

	/* --- what the SDK tells -------------------------------------------------------------------------- */
	#listen() {
		const { client } = this;
		const on = (name, listener) => client.on(name, listener);
		on("status", (status) => {
			this.#topics.tell("status");
			if (status === "connected") {
				this.#connected();
			}
		});
		on("signedout", ({ reason }) => this.#over(reason));
		on("conversation", (conversation) => this.#listed(conversation));
		ENTRIES.forEach((name) => on(name, (entry) => {
			this.#timelineOf(entry.conversation)?.entry(entry, this.isSeen());
			if (name === "message" && entry.user_from !== this.user?.id) {
				this.arrived(entry);
			}
		}));
		CHANGES.forEach((name) => on(name, (frame) => this.#timelineOf(frame.conversation)?.change(frame)));
		on("state", (frame) => this.#timelines.forEach((timeline) => timeline.state(frame)));
		on("outbox", () => this.#timelines.forEach((timeline) => timeline.takeOutbox()));
		on("receipt", (frame) => this.#timelineOf(frame.conversation)?.receipt(frame));
		on("typing", ({ conversation, user }) => this.#timelineOf(conversation)?.typed(user));
		on("gap", ({ conversation }) => this.#timelineOf(conversation)?.reload());
	}

	#connected() {
		this.people.connected();
		for (const timeline of this.#timelines.values()) {
			timeline.loadMembers();
			if (timeline.error) {
				timeline.reload();
			}
		}
	}

	#listed(conversation) {
		const { id, gone } = conversation;
		const isNew = !this.#byId.has(id);
		if (gone) {
			const key = keyOf(this.conversation(id)?.with?.id, id);
			this.#timelines.get(key)?.close();
			this.#timelines.delete(key);
			this.#byId.delete(id);
		} else {
			this.#byId.set(id, conversation);
		}
		this.#sorted = null;
		const other = conversation.with?.id;
		if (isNew && other) {
			this.people.watch([other]);
			this.#timelines.get(keyOf(other))?.bind(id);
		}
		this.#topics.tell("list");
		// The address may name it, or the user of it.
		if (isNew !== Boolean(gone)) {
			this.#readAddress();
		}
	}

	/** Tells the user. */
	tell(text) {
		this.notice = text;
		this.#topics.tell("notice");
	}

	#failed(error) {
		if (this.user) {
			this.tell(`That was refused: ${error.detail ?? error.message}.`);
		}
	}
}

const keyOf = (user, id) => user ? `user/${user}` : `conversation/${id}`;
const latest = ({ last_message: last }) => last?.id ?? 0;
