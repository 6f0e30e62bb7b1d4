/*
 * sync - shows the entries and changes of all conversations: in order, each once, none left out.
 *
 * The socket brings what happens after `welcome`, GET /sync tells what happened before. Where a
 * number is missing, the history is asked for it. What the history does not have, the user may
 * not see.
 *
 * Store: `cursor`, and `conversation/ID` -> {conversation, seq, revision}: shown up to there. What
 * was shown in the last moments before a page went away may be shown again after a reload.
 */
import { Backoff } from './backoff.js';
import { Timeline } from './timeline.js';

/* Frames of own messages and of others may overtake each other by a little. */
const GAP_WAIT_MS = 200;
const WRITE_WAIT_MS = 300;
const PAGE = 200;
const FILLING_MAX = 4;
/* Of a conversation that has more news than this, the application loads the newest page. */
const MISSED_MAX = 2000;

export class Sync {
	#rooms = new Map();
	/* Conversation id -> what has arrived before it is known where to begin. */
	#early = new Map();
	#cursor = null;
	#dirty = new Set();
	#dirty_cursor = false;
	#writing = null;
	#generation = 0;
	#synced = false;
	#filling = 0;
	#queue = [];
	#sleepers = new Set();

	/*
	 * request        a signed REST call
	 * conversations  the list, which this module keeps current
	 * show           gets each entry (message, member) and each change (edit, delete, reaction,
	 *                revised: a message in its latest state) that is to be shown
	 * gap            gets {conversation, after, before}: too much was missed between these seqs
	 * fault          gets errors of the store
	 */
	constructor({ request, store, conversations, show, gap, fault, missed_max = MISSED_MAX }) {
		Object.assign(this, { request, store, conversations, show, gap, fault, missed_max });
	}

	/* What the store knows. */
	async load() {
		this.#cursor = await this.store.get('cursor') ?? null;
		for (const { conversation, seq, revision } of await this.store.list('conversation/')) {
			this.conversations.learn(conversation);
			this.#rooms.set(conversation.id, new Room(seq, revision));
		}
	}

	/*
	 * After `welcome`, or to know the list without a socket: asks what has changed. Resolves when
	 * the list is right; what was missed is then shown as it arrives. Tries again until stop().
	 */
	async resume() {
		const generation = ++this.#generation;
		const fresh = this.#cursor === null;
		const backoff = new Backoff();
		for (let more = true; more;) {
			const answer = await this.#insist(generation, backoff, () => this.#changes());
			if (!answer)
				return false;
			answer.gone.forEach(id => this.forget(id));
			answer.conversations.forEach(conversation => this.#learn(conversation, fresh));
			this.#cursor = answer.cursor;
			this.#dirty_cursor = true;
			more = answer.more;
		}
		this.#synced = true;
		this.#save_soon();
		for (const id of this.#early.keys())
			this.#discover(id);
		for (const id of this.#rooms.keys())
			this.#fill_soon(id, 0);
		return true;
	}

	async #changes() {
		const since = this.#cursor === null ? '' : `?since=${encodeURIComponent(this.#cursor)}`;
		try {
			return await this.request('GET', `/sync${since}`);
		} catch (error) {
			if (error.status !== 422 || !since)
				throw error;
			return this.request('GET', '/sync');
		}
	}

	/* The socket has gone: until the next resume() nothing is fetched. */
	stop() {
		this.#generation++;
		this.#synced = false;
		this.#queue = [];
		this.#sleepers.forEach(wake => wake());
	}

	/* --- frames --------------------------------------------------------------------- */
	/* frame: message or member. shown: false for an own message, which `state` has told. */
	entry(frame, shown = true) {
		this.#arrived(frame.conversation, { kind: 'seqs', number: frame.seq, thing: shown ? frame : null });
	}

	/* frame: edit, delete or reaction, or the `state` of an own one. */
	change(frame, shown = true) {
		this.#arrived(frame.conversation,
			{ kind: 'revisions', number: frame.revision, thing: shown ? frame : null });
	}

	#arrived(id, item) {
		const room = this.#rooms.get(id);
		if (room) {
			const timeline = room[item.kind];
			timeline.put(item.number, item.thing);
			this.#show_all(id, timeline.take());
			if (timeline.held > this.missed_max)
				this.#pass_over(id, room, item.kind);
			else if (timeline.missing_to)
				this.#fill_soon(id, GAP_WAIT_MS);
			return;
		}
		const early = this.#early.get(id) || [];
		early.push(item);
		if (early.length > this.missed_max)
			early.shift();
		this.#early.set(id, early);
		if (this.#synced && early.length === 1)
			this.#discover(id);
	}

	/* --- where a conversation begins --------------------------------------------------- */
	/*
	 * fresh: this client has never been told of any conversation, so it begins at the end.
	 * Otherwise the conversation is new since then: a direct one begins with its first entry,
	 * another with what has come since the user has joined it.
	 */
	#learn(conversation, fresh) {
		const { id, kind, last_seq, read_seq, revision } = conversation;
		this.conversations.learn(conversation);
		const early = this.#early.get(id) || [];
		this.#early.delete(id);
		const first = of => Math.min(...early.filter(item => item.kind === of)
			.map(item => item.number)) - 1;
		let room = this.#rooms.get(id);
		if (!room) {
			const begin = fresh ? last_seq : kind === 'direct' ? 0 : read_seq;
			room = new Room(Math.min(begin, first('seqs')), Math.min(revision, first('revisions')));
			this.#rooms.set(id, room);
		}
		room.seqs.expect(last_seq);
		room.revisions.expect(revision);
		this.#dirty.add(id);
		for (const item of early)
			this.#arrived(id, item);
	}

	/* The user's own message has begun this conversation, or the list did not have it yet. */
	begin(conversation) {
		if (this.#synced)
			this.#learn(conversation, false);
	}

	/* Something has come of a conversation that is not in the list. */
	async #discover(id) {
		const generation = this.#generation;
		let conversation;
		try {
			conversation = await this.#insist(generation, new Backoff(),
				() => this.#conversation(id));
		} catch (error) {
			this.fault(error);
			return;
		}
		if (generation !== this.#generation || !this.#early.has(id))
			return;
		if (conversation) {
			this.#learn(conversation, false);
			this.#fill_soon(id, 0);
			return;
		}
		/* The user is no member any more; what has come tells of that. */
		const early = this.#early.get(id);
		this.#early.delete(id);
		this.#show_all(id, early.map(item => item.thing).filter(Boolean));
	}

	/* null: the user is no member. */
	async #conversation(id) {
		try {
			return await this.request('GET', `/conversations/${id}`);
		} catch (error) {
			if (error.status !== 404)
				throw error;
			return null;
		}
	}

	/* Membership, name or role may have changed. */
	async refresh(id) {
		const generation = this.#generation;
		const conversation = await this.#insist(generation, new Backoff(),
			() => this.#conversation(id));
		if (generation !== this.#generation)
			return; /* The next resume() tells. */
		if (!conversation)
			this.forget(id);
		else if (this.#synced)
			this.#learn(conversation, false);
		this.#fill_soon(id, GAP_WAIT_MS);
	}

	forget(id) {
		this.#rooms.delete(id);
		this.#early.delete(id);
		this.#dirty.delete(id);
		this.conversations.forget(id);
		this.store.delete(`conversation/${id}`).catch(this.fault);
	}

	/* Another user, or none. */
	clear() {
		this.stop();
		clearTimeout(this.#writing);
		this.#writing = this.#cursor = null;
		this.#dirty_cursor = false;
		this.#rooms.clear();
		this.#early.clear();
		this.#dirty.clear();
		this.conversations.clear();
	}

	#show_all(id, things) {
		for (const thing of things)
			this.show(thing);
		if (this.#rooms.has(id)) {
			this.#dirty.add(id);
			this.#save_soon();
		}
	}

	/* --- what is missing ----------------------------------------------------------------- */
	#fill_soon(id, wait_ms) {
		const room = this.#rooms.get(id);
		const generation = this.#generation;
		if (!this.#synced || !room?.is_missing || room.filling === generation)
			return;
		room.filling = generation;
		const begin = async () => {
			this.#filling++;
			try {
				await this.#fill(id, room, generation);
			} catch (error) {
				this.fault(error);
			}
			this.#filling--;
			this.#queue.shift()?.();
			if (room.filling === generation)
				room.filling = 0;
			this.#fill_soon(id, GAP_WAIT_MS);
		};
		setTimeout(() => {
			if (this.#filling < FILLING_MAX)
				begin();
			else
				this.#queue.push(begin);
		}, wait_ms);
	}

	async #fill(id, room, generation) {
		const backoff = new Backoff();
		const is_current = () => generation === this.#generation && this.#rooms.get(id) === room;
		const page = query => this.#insist(generation, backoff, () => this.#page(id, query));
		while (is_current() && room.seqs.missing_to) {
			const after = room.seqs.shown;
			const before = room.seqs.missing_to + 1;
			if (before - after > this.missed_max) {
				this.#pass_over(id, room, 'seqs');
				continue;
			}
			const answer = await page(`after=${after}`);
			if (!answer || !is_current())
				return;
			this.#show_page(id, room.seqs, answer, 'seq', before - 1);
		}
		while (is_current() && room.revisions.missing_to) {
			const up_to = room.revisions.missing_to;
			const answer = await page(`revised=${room.revisions.shown}`);
			if (!answer || !is_current())
				return;
			const messages = answer.messages.map(message => ({ ...message, type: 'revised' }));
			this.#show_page(id, room.revisions, { messages, next: answer.next }, 'revision', up_to);
		}
	}

	/* Gives up what is missing. The application loads what it wants to show, or may have changed. */
	#pass_over(id, room, kind) {
		const timeline = room[kind];
		const before = timeline.missing_to + 1;
		this.gap(kind === 'seqs' ? { conversation: id, after: timeline.shown, before }
			: { conversation: id, after: 0, before: room.seqs.shown + 1 });
		this.#show_all(id, [...timeline.skip(before - 1), ...timeline.take()]);
	}

	/* A page is complete from where it was asked for to its last number; the last page to the end. */
	#show_page(id, timeline, { messages, next }, number, up_to) {
		for (const message of messages) {
			const early = timeline.skip(message[number] - 1);
			/* The latest state of a message is also that of others' changes below an own one. */
			timeline.put(message[number], message, number === 'revision');
			this.#show_all(id, [...early, ...timeline.take()]);
		}
		this.#show_all(id, [...timeline.skip(next ?? up_to), ...timeline.take()]);
	}

	/* null: the user is no member any more. */
	async #page(id, query) {
		try {
			return await this.request('GET', `/conversations/${id}/messages?limit=${PAGE}&${query}`);
		} catch (error) {
			if (error.status !== 404)
				throw error;
			this.forget(id);
			return null;
		}
	}

	/* Tries again until it succeeds; null if the connection has gone meanwhile. */
	async #insist(generation, backoff, work) {
		for (;;) {
			try {
				const answer = await work();
				return generation === this.#generation ? answer : null;
			} catch (error) {
				if (!error.retryable)
					throw error;
				await this.#sleep(backoff.next(error.retry_after_ms));
			}
			if (generation !== this.#generation)
				return null;
		}
	}

	#sleep(ms) {
		return new Promise(resolve => {
			const done = () => {
				clearTimeout(timer);
				this.#sleepers.delete(done);
				resolve();
			};
			const timer = setTimeout(done, ms);
			this.#sleepers.add(done);
		});
	}

	/* --- the store: conversations before the cursor, which tells that they are there ------ */
	#save_soon() {
		this.#writing ??= setTimeout(() => this.save(), WRITE_WAIT_MS);
	}

	async save() {
		clearTimeout(this.#writing);
		this.#writing = null;
		const cursor = this.#dirty_cursor ? this.#cursor : null;
		const ids = [...this.#dirty];
		this.#dirty.clear();
		this.#dirty_cursor = false;
		try {
			for (const id of ids) {
				const room = this.#rooms.get(id);
				const conversation = this.conversations.get(id);
				if (room && conversation)
					await this.store.set(`conversation/${id}`, {
						conversation, seq: room.seqs.shown, revision: room.revisions.shown,
					});
			}
			if (cursor !== null)
				await this.store.set('cursor', cursor);
		} catch (error) {
			this.fault(error);
		}
	}
}

class Room {
	/* The generation in which what is missing is being fetched. */
	filling = 0;

	constructor(seq, revision) {
		this.seqs = new Timeline(seq);
		this.revisions = new Timeline(revision);
	}

	get is_missing() {
		return Boolean(this.seqs.missing_to || this.revisions.missing_to);
	}
}
