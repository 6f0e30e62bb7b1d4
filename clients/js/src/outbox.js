/*
 * outbox - what the user has written and the server has not settled.
 *
 * A message or change is stored before it is sent, and sent under the same uuid until the server
 * says `saved` or refuses it for good: after a reconnect, after a retryable error, and when no
 * answer comes. What goes to one conversation forms a lane: one frame at a time is under way, so
 * that a retry overtakes nothing. A message that was refused for good stays, as `failed`, until
 * retry() or discard().
 *
 * Store: `outbox/UUID` -> {uuid, user, client, n, lane, frame, state: waiting | failed, error?}
 */
import { Backoff } from './backoff.js';
import { ParleyError, frame_error, refused, signed_out } from './errors.js';

const WAITING_MAX = 1000;
const FAILED_MAX = 100;
/* Frames under way. A gateway takes 256 of one socket. */
const UNDER_WAY_MAX = 64;
/* Settled uuids that are remembered, so that an answer of the store that is late brings none back. */
const SETTLED_MAX = 1000;
const ANSWER_MS = 10000;
const ACCEPTED_MS = 60000;
/* After `too_fast` nothing of any lane is sent for so long. */
const QUIET_MS = 1000;

export class Outbox {
	#items = new Map();
	#lanes = new Map();
	#under_way = new Set();
	#settled = new Set();
	#quiet = null;
	#n = 0;

	/*
	 * send     sends a frame; returns false without a connection
	 * lane_of  frame -> the key of its conversation
	 * told     gets each `state` frame that concerns something of this outbox
	 * adopted  called when adopt() has taken something over
	 * fault    gets the errors of the store
	 */
	constructor({ store, client, send, lane_of, told, adopted, fault }) {
		Object.assign(this, { store, client, send, lane_of, told, adopted, fault });
	}

	/* What is not saved: {uuid, state, frame, error?}, in the order of writing. */
	list() {
		return [...this.#items.values()].map(item => item.entry).sort(by_n)
			.map(({ uuid, state, frame, error }) => ({ uuid, state, frame, error }));
	}

	has(uuid) {
		return this.#items.has(uuid);
	}

	/* undefined if the outbox does not have it. */
	frame_of(uuid) {
		return this.#items.get(uuid)?.entry.frame;
	}

	/*
	 * Takes over what the store has of this user and no client that lives has in its hands.
	 * alive: the ids of these clients, or null if that is not known.
	 */
	async adopt(user, alive) {
		let taken = 0;
		for (const entry of (await this.store.list('outbox/')).sort(by_n)) {
			if (entry.user !== user || this.#items.has(entry.uuid) || this.#settled.has(entry.uuid))
				continue;
			if (entry.client !== this.client && alive?.has(entry.client))
				continue;
			entry.client = this.client;
			this.#n = Math.max(this.#n, entry.n);
			this.#enter(entry).stored = true;
			taken++;
			this.store.set(`outbox/${entry.uuid}`, entry).catch(this.fault);
		}
		if (taken)
			this.adopted();
		this.#pump_all();
	}

	/* Returns {uuid, saved}: saved is the `state` frame, or fails with a ParleyError. */
	add(user, frame) {
		const { uuid } = frame;
		const known = this.#items.get(uuid);
		if (known) {
			if (known.entry.state === 'failed')
				this.retry(uuid);
			return { uuid, saved: known.saved };
		}
		if (this.#items.size >= WAITING_MAX + FAILED_MAX)
			return refused(uuid, new ParleyError('outbox_full',
				'too many messages wait', { retryable: true }));
		this.#n = Math.max(this.#n + 1, Date.now() * 1000);
		const item = this.#enter({
			uuid, user, client: this.client, n: this.#n, frame, state: 'waiting',
			lane: this.lane_of(frame),
		});
		this.#write(item);
		return { uuid, saved: item.saved };
	}

	retry(uuid) {
		const item = this.#items.get(uuid);
		if (item?.entry.state !== 'failed')
			return;
		item.entry.state = 'waiting';
		delete item.entry.error;
		item.entry.n = this.#n = Math.max(this.#n + 1, Date.now() * 1000);
		promise_of(item);
		this.#into_lane(item);
		this.#write(item);
	}

	/* Only what has failed: anything else may be saved already. */
	discard(uuid) {
		const item = this.#items.get(uuid);
		if (item?.entry.state === 'failed')
			this.#remove(item);
	}

	/* --- the connection --------------------------------------------------------------- */
	connected() {
		for (const item of this.#under_way)
			this.#rest(item);
		this.#pump_all();
	}

	disconnected() {
		for (const item of this.#items.values())
			this.#rest(item);
	}

	/* A `state` or `error` frame; true if it concerns something of this outbox. */
	answered(frame) {
		const item = this.#items.get(frame.uuid);
		if (!item || item.entry.state !== 'waiting')
			return false;
		if (frame.state === 'saved') {
			this.#settle(item, frame);
		} else if (frame.state === 'accepted') {
			this.#again_in(item, ACCEPTED_MS);
			this.told(frame);
		} else if (frame.retryable) {
			if (frame.code === 'too_fast')
				this.#be_quiet();
			this.#again_in(item, item.backoff.next(100));
		} else {
			this.#fail(item, frame);
		}
		return true;
	}

	/* The user has signed out: nothing is sent any more. */
	clear() {
		for (const item of this.#items.values()) {
			this.#rest(item);
			if (item.entry.state === 'waiting')
				item.reject(signed_out());
		}
		this.#items.clear();
		this.#lanes.clear();
	}

	/* --- one item ---------------------------------------------------------------------- */
	#enter(entry) {
		const item = { entry, stored: false, timer: null, backoff: new Backoff() };
		promise_of(item);
		this.#items.set(entry.uuid, item);
		if (entry.state === 'waiting')
			this.#into_lane(item);
		return item;
	}

	#into_lane(item) {
		const { lane } = item.entry;
		const line = this.#lanes.get(lane) || [];
		line.push(item);
		line.sort((a, b) => by_n(a.entry, b.entry));
		this.#lanes.set(lane, line);
	}

	/* Sent once it is stored. A store that fails does not keep a message from being sent. */
	async #write(item) {
		const { uuid } = item.entry;
		item.stored = false;
		await this.store.set(`outbox/${uuid}`, item.entry).catch(this.fault);
		item.stored = true;
		if (this.#items.get(uuid) === item)
			this.#pump(item.entry.lane);
		else
			this.#erase(uuid);
	}

	#pump_all() {
		for (const lane of this.#lanes.keys())
			this.#pump(lane);
	}

	#pump(lane) {
		const item = this.#lanes.get(lane)?.[0];
		if (this.#quiet || !item?.stored || item.timer || this.#under_way.size >= UNDER_WAY_MAX)
			return;
		if (this.send(item.entry.frame)) {
			this.#under_way.add(item);
			this.#again_in(item, ANSWER_MS);
		}
	}

	#be_quiet() {
		clearTimeout(this.#quiet);
		this.#quiet = setTimeout(() => {
			this.#quiet = null;
			this.#pump_all();
		}, QUIET_MS);
	}

	#again_in(item, ms) {
		clearTimeout(item.timer);
		item.timer = setTimeout(() => {
			this.#rest(item);
			this.#pump(item.entry.lane);
		}, ms);
	}

	#rest(item) {
		clearTimeout(item.timer);
		item.timer = null;
		this.#under_way.delete(item);
	}

	#settle(item, frame) {
		this.#remove(item);
		item.resolve(frame);
		this.told(frame);
		this.#go_on(item);
	}

	#fail(item, frame) {
		const { entry } = item;
		const { code, detail } = frame;
		if (entry.frame.type) {
			this.#remove(item);
		} else {
			this.#leave_lane(item);
			Object.assign(entry, { state: 'failed', error: { code, detail } });
			this.#write(item);
			this.#forget_oldest_failed();
		}
		item.reject(frame_error(frame));
		this.told(frame);
		this.#go_on(item);
	}

	#go_on(item) {
		if (this.#under_way.size === UNDER_WAY_MAX - 1)
			this.#pump_all();
		else
			this.#pump(item.entry.lane);
	}

	#remove(item) {
		const { uuid } = item.entry;
		this.#leave_lane(item);
		this.#items.delete(uuid);
		this.#settled.add(uuid);
		if (this.#settled.size > SETTLED_MAX)
			this.#settled.delete(this.#settled.values().next().value);
		this.#erase(uuid);
	}

	#leave_lane(item) {
		this.#rest(item);
		const line = (this.#lanes.get(item.entry.lane) || []).filter(other => other !== item);
		if (line.length)
			this.#lanes.set(item.entry.lane, line);
		else
			this.#lanes.delete(item.entry.lane);
	}

	#erase(uuid) {
		this.store.delete(`outbox/${uuid}`).catch(this.fault);
	}

	#forget_oldest_failed() {
		const failed = [...this.#items.values()].filter(item => item.entry.state === 'failed');
		failed.sort((a, b) => by_n(a.entry, b.entry));
		for (const item of failed.slice(0, -FAILED_MAX))
			this.#remove(item);
	}
}

const by_n = (a, b) => a.n - b.n;

/* A caller need not look at `saved`: its failure is no unhandled rejection. */
function promise_of(item) {
	item.saved = new Promise((resolve, reject) => Object.assign(item, { resolve, reject }));
	item.saved.catch(() => {});
}
