/**
 * timeline - what the page has of one conversation: a window of its entries without holes, what the
 * user has written and is not saved, who has read how far, and who types.
 *
 * The window has at most ENTRIES_MAX entries: what is loaded at one end may push out the other end.
 * Entries are not changed but replaced, so a view sees by identity what is new.
 */
export const ENTRIES_MAX = 300;
export const DROPPED_AT_ONCE = 50;
const PAGE = 50;
/* Fewer unread entries than this are on the newest page together with some that were read. */
const UNREAD_NEAR = 30;
const TYPING_MS = 6000;
const RECEIPTS_MAX = 100;
const MEMBERS_WAIT_MS = 500;
/* An own message may be saved before the SDK has told what others wrote before it. */
const GAP_WAIT_MS = 1500;
const HELD_MAX = 1000;

export class Timeline {
	/* Ascending by seq. */
	entries = [];
	/* Own messages that are not saved: {uuid, text, replyTo, state: waiting | failed, error}. */
	pending = new Map();
	/* Own changes that are not saved: uuid -> frame. */
	#changes = new Map();
	atStart = false;
	atEnd = false;
	/* What is being loaded: "all", "older" or "newer"; null. */
	loading = null;
	/* The ParleyError of the last load, or null. */
	error = null;
	/* The unread line is behind this seq; null: no line. */
	unreadAfter = null;
	/* The view shows the end, so what is new is read there. */
	following = true;
	/* The place to begin at: the unread line, not the end. Counts up with each load of another place. */
	place = 0;
	/* Other members: user -> the seq up to which the user has read. */
	readers = new Map();
	typing = new Map();
	#early = [];
	/* Newer than the end, but not next to it: seq -> entry. */
	#held = new Map();
	#gapTimer = null;
	#generation = 0;
	#membersTimer = null;

	/**
	 * user: of a direct conversation the other user; id may then be null, until it exists.
	 * changed: is called after each change. failed: gets what was refused and has no row that says so.
	 */
	constructor({ key, id, user, client, changed, failed }) {
		Object.assign(this, { key, id, user, client, changed, failed });
		this.takeOutbox();
		if (!id) {
			this.atStart = this.atEnd = true;
		}
	}

	get first() {
		return this.entries[0];
	}

	get last() {
		return this.entries.at(-1);
	}

	/** The entries, and those whose predecessors are on their way. */
	get all() {
		return this.#held.size ? [...this.entries, ...[...this.#held.values()].sort((a, b) => a.seq - b.seq)] : this.entries;
	}

	/** Own messages that wait stand below the end, or alone where nothing could be loaded. */
	get showsPending() {
		return this.atEnd || !this.entries.length;
	}

	/* --- loading ---------------------------------------------------------------------- */
	/**
	 * The user opens the conversation, which the list describes: begins at what is unread, or
	 * at the end.
	 */
	open(conversation) {
		const { unread = 0, read_seq: read } = conversation ?? {};
		this.unreadAfter = unread > 0 ? read : null;
		this.following = true;
		const has = this.unreadAfter === null || this.atStart || this.first?.seq <= read;
		this.place += 1;
		this.changed();
		if (!this.id || this.loading === "all" || this.atEnd && has && !this.error) {
			return;
		}
		this.#load(unread > UNREAD_NEAR ? read : null);
	}

	/** The conversation exists now. */
	bind(id) {
		if (!this.id) {
			this.id = id;
			this.takeOutbox();
			this.#load(null);
		}
	}

	/** Loads the newest entries, and goes to the end. */
	jumpToEnd() {
		this.following = true;
		if (!this.atEnd || this.error) {
			this.#load(null);
		}
		this.changed();
	}

	/** Loads the entries round this one, if they are not there. */
	async jumpTo(seq) {
		if (!this.entries.some((entry) => entry.seq === seq)) {
			this.following = false;
			await this.#load(seq);
		}
		return this.entries.some((entry) => entry.seq === seq);
	}

	/** After a failure, or when too much was missed: loads again what is shown. */
	reload() {
		if (this.id) {
			this.#load(this.following || !this.entries.length ? null : this.entries[this.entries.length >> 1].seq);
		}
	}

	/* around: the seq in the middle; null: the newest. */
	async #load(around) {
		this.error = null;
		const ask = () => Promise.all(around === null
			? [this.client.history(this.id, { limit: PAGE })]
			: [this.client.history(this.id, { before: around + 1, limit: PAGE }),
				this.client.history(this.id, { after: around, limit: PAGE })]);
		const isLast = await this.#ask("all", ask, ([below, above]) => {
			this.entries = [...below.messages, ...above?.messages ?? []];
			this.atStart = below.next === null;
			this.atEnd = !above || above.next === null;
			this.#held.clear();
			this.place += 1;
		});
		if (isLast) {
			this.loadMembers();
		}
	}

	loadOlder() {
		return this.#more("older", this.atStart, () => ({ before: this.first.seq }), ({ messages, next }) => {
			this.entries = [...messages, ...this.entries];
			this.atStart = next === null;
			if (this.entries.length > ENTRIES_MAX) {
				this.entries.length = ENTRIES_MAX;
				this.#leaveEnd();
			}
		});
	}

	loadNewer() {
		return this.#more("newer", this.atEnd, () => ({ after: this.last.seq }), ({ messages, next }) => {
			this.entries = [...this.entries, ...messages];
			this.atEnd = next === null;
			this.#dropOldest();
		});
	}

	async #more(what, done, from, take) {
		if (done || this.loading || this.error || !this.entries.length) {
			return;
		}
		await this.#ask(what, () => this.client.history(this.id, { ...from(), limit: PAGE }), take);
	}

	/* Takes what was asked for, unless another load has begun meanwhile: then it is false. */
	async #ask(what, ask, take) {
		const generation = ++this.#generation;
		const isLast = () => generation === this.#generation;
		this.loading = what;
		this.changed();
		try {
			const answer = await ask();
			if (isLast()) {
				take(answer);
			}
		} catch (error) {
			if (isLast()) {
				this.error = error;
			}
		}
		if (isLast()) {
			this.loading = null;
			this.#takeEarly();
			this.changed();
		}
		return isLast();
	}

	#dropOldest(at_once = 0) {
		if (this.entries.length > ENTRIES_MAX) {
			this.entries = this.entries.slice(at_once - ENTRIES_MAX);
			this.atStart = false;
		}
	}

	/* --- what the socket brings ----------------------------------------------------------- */
	/** A message or a change of the conversation. seen: the user sees the page. */
	entry(entry, seen = true) {
		if (this.loading) {
			this.#early.push(entry);
			return;
		}
		this.#stopTyping(entry.user_from);
		if (!seen && this.unreadAfter === null && entry.type === "message") {
			this.unreadAfter = entry.seq - 1;
		}
		this.#insert(entry);
		if (entry.type === "member") {
			this.#loadMembersSoon();
		}
		this.changed();
	}

	#takeEarly() {
		const early = this.#early;
		this.#early = [];
		early.forEach((entry) => this.#insert(entry));
	}

	#insert(entry) {
		const after = this.last?.seq ?? entry.seq - 1;
		if (!this.atEnd || entry.seq <= after) {
			return;
		}
		if (entry.seq > after + 1) {
			this.#hold(entry);
		} else if (this.entries.length >= ENTRIES_MAX && !this.following) {
			// Who reads far above keeps what is there; the end is loaded on the way down.
			this.#leaveEnd();
		} else {
			this.entries.push(entry);
			this.#takeHeld();
			// The browser lays all rows out again when one above them goes.
			this.#dropOldest(DROPPED_AT_ONCE);
		}
	}

	#leaveEnd() {
		this.atEnd = false;
		this.#held.clear();
	}

	#hold(entry) {
		this.#held.set(entry.seq, entry);
		if (this.#held.size > HELD_MAX) {
			this.reload();
		} else {
			this.#gapTimer ??= setTimeout(() => {
				this.#gapTimer = null;
				this.#fill();
			}, GAP_WAIT_MS);
		}
	}

	/* Held entries whose turn has come. */
	#takeHeld() {
		for (let seq = this.last?.seq + 1; this.#held.size; seq++) {
			const next = this.#held.get(seq);
			if (!next) {
				break;
			}
			this.#held.delete(seq);
			this.entries.push(next);
		}
		for (const seq of this.#held.keys()) {
			if (seq <= this.last?.seq) {
				this.#held.delete(seq);
			}
		}
	}

	/* Loads what is missing before the held entries. */
	async #fill() {
		while (this.#held.size && this.atEnd) {
			const before = this.last?.seq;
			await this.#more("newer", this.loading === "all", () => ({ after: before }), ({ messages }) => {
				this.entries = [...this.entries, ...messages.filter(({ seq }) => seq > (this.last?.seq ?? 0))];
				this.#takeHeld();
				this.#dropOldest();
			});
			if (this.last?.seq === before) {
				return;
			}
		}
	}

	/** An edit, deletion or reaction, or a message in its latest state. */
	change(frame) {
		const at = this.entries.findIndex((entry) => entry.seq === frame.seq);
		const entry = this.entries[at];
		const changed = entry && changedBy(entry, frame);
		if (changed) {
			this.entries[at] = changed;
			this.changed();
		}
	}

	/** What has become of an own message or change. */
	state(frame) {
		const { uuid, state, conversation, seq, id, revision, created_at } = frame;
		const message = this.pending.get(uuid);
		const change = this.#changes.get(uuid);
		if (state === "saved" && message) {
			this.pending.delete(uuid);
			this.entry({
				type: "message", id, conversation, seq, user_from: this.client.user?.id, uuid, created_at,
				message: message.text, ...message.replyTo && { reply_to: message.replyTo },
			});
		} else if (state === "saved" && change) {
			this.#changes.delete(uuid);
			this.change({ ...as_change(change, this.client.user?.id), revision, created_at });
		} else if (state !== "accepted" && (message || change)) {
			this.#changes.delete(uuid);
			this.takeOutbox();
			if (change) {
				this.failed(frame);
			}
		}
		this.changed();
	}

	/** Takes what the outbox has for this conversation. */
	takeOutbox() {
		this.pending.clear();
		this.#changes.clear();
		for (const { uuid, state, frame, error } of this.client.outbox()) {
			const here = this.user && frame.user_to === this.user || this.id && frame.conversation === this.id;
			if (here && frame.type) {
				this.#changes.set(uuid, frame);
			} else if (here) {
				this.pending.set(uuid, { uuid, text: frame.message, replyTo: frame.reply_to, state, error });
			}
		}
		this.changed();
	}

	/* --- what the user does -------------------------------------------------------------------- */
	send(text, replyTo) {
		const target = this.id ? { conversation: this.id } : { to: this.user };
		const { uuid, saved } = this.client.send({ ...target, text, ...replyTo && { replyTo } });
		saved.catch((error) => {
			// What the outbox has not taken at all is not told by a `state`.
			if (!this.client.outbox().some((waiting) => waiting.uuid === uuid)) {
				this.failed(error);
			}
		});
		this.takeOutbox();
		this.jumpToEnd();
	}

	/** what: edit, delete or react. */
	write(what, change) {
		const { saved } = this.client[what]({ conversation: this.id, ...change });
		saved.catch(() => this.takeOutbox());
		this.takeOutbox();
	}

	retry(uuid) {
		this.client.retry(uuid);
		this.takeOutbox();
	}

	discard(uuid) {
		this.client.discard(uuid);
		this.takeOutbox();
	}

	/* --- what is shown ---------------------------------------------------------------------------- */
	/** The entry as the user has changed it, also where that is not saved yet. */
	shown(entry) {
		let shown = entry;
		for (const frame of this.#changes.values()) {
			if (frame.seq === entry.seq) {
				shown = apply(shown, as_change(frame, this.client.user?.id));
			}
		}
		return shown;
	}

	/** Of an own message: how many have read it, and how many could. */
	readBy(seq) {
		let count = 0;
		for (const read of this.readers.values()) {
			count += read >= seq ? 1 : 0;
		}
		return { count, of: this.readers.size };
	}

	receipt({ user, read }) {
		if (user !== this.client.user?.id && this.readers.has(user) && read > this.readers.get(user)) {
			this.readers.set(user, read);
			this.changed();
		}
	}

	typed(user) {
		this.#stopTyping(user);
		this.typing.set(user, setTimeout(() => {
			this.typing.delete(user);
			this.changed();
		}, TYPING_MS));
		this.changed();
	}

	#stopTyping(user) {
		clearTimeout(this.typing.get(user));
		this.typing.delete(user);
	}

	#loadMembersSoon() {
		this.#membersTimer ??= setTimeout(() => {
			this.#membersTimer = null;
			this.loadMembers();
		}, MEMBERS_WAIT_MS);
	}

	/** Who has read how far. In large conversations the server tells nobody. */
	async loadMembers() {
		if (!this.id) {
			return;
		}
		try {
			const { members, next } = await this.client.request("GET",
				`/conversations/${this.id}/members?limit=${RECEIPTS_MAX}`);
			const others = next === null ? members.filter(({ user }) => user !== this.client.user?.id) : [];
			this.readers = new Map(others.map(({ user, read_seq: read }) =>
				[user, Math.max(read, this.readers.get(user) ?? 0)]));
			this.changed();
		} catch {
			// It is asked again after the next connection.
		}
	}

	/** Nothing of this conversation is kept any more. */
	close() {
		this.#generation += 1;
		clearTimeout(this.#gapTimer);
		clearTimeout(this.#membersTimer);
		this.typing.forEach((timer) => clearTimeout(timer));
	}
}

/* A frame of the outbox in the form of what others get of it. */
const as_change = ({ type, ...frame }, user) =>
	({ ...frame, type: type === "react" ? "reaction" : type, user_from: user, remove: frame.remove === true });

/*
 * The entry after a change with a revision; null if it has that or a later one. An own change is known
 * before what others have changed earlier: `revision` is that of the whole entry, `since` has the last
 * change of the text, and of each reaction of each user, that came after it.
 */
function changedBy({ since = {}, ...entry }, frame) {
	if (entry.revision >= frame.revision) {
		return null;
	}
	if (frame.type === "revised") {
		const later = Object.entries(since).filter(([, one]) => one.revision > frame.revision);
		return { ...later.reduce((sofar, [, one]) => apply(sofar, one), apply(entry, frame)), since: Object.fromEntries(later) };
	}
	const what = frame.type === "reaction" ? `${frame.user_from} ${frame.reaction}` : "text";
	if (since[what]?.revision >= frame.revision) {
		return null;
	}
	return { ...apply(entry, frame), since: { ...since, [what]: frame } };
}

/** The entry after the change. A change that it has already changes nothing. */
export function apply(entry, frame) {
	if (frame.type === "revised") {
		return { ...frame, type: "message" };
	}
	if (entry.deleted_at) {
		return entry;
	}
	const at = frame.created_at ?? new Date().toISOString();
	if (frame.type === "edit") {
		return { ...entry, message: frame.message, edited_at: at };
	}
	if (frame.type === "delete") {
		return { ...entry, message: "", deleted_at: at, reactions: [] };
	}
	return { ...entry, reactions: reacted(entry.reactions ?? [], frame) };
}

function reacted(reactions, { reaction, user_from: user, remove }) {
	const known = reactions.find((one) => one.reaction === reaction);
	const has = known?.users.includes(user);
	if (Boolean(has) === !remove) {
		return reactions;
	}
	if (!known) {
		return remove ? reactions : [...reactions, { reaction, users: [user], count: 1 }];
	}
	const changed = remove
		? { reaction, users: known.users.filter((one) => one !== user), count: known.count - 1 }
		: { reaction, users: [...known.users, user], count: known.count + 1 };
	return reactions.map((one) => one === known ? changed : one).filter((one) => one.count > 0);
}
