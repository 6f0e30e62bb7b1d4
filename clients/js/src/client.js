/*
 * client - one signed-in user of a Parley installation, in one tab or process.
 *
 * Frames and errors have the members of docs/protocol/socket.md, REST answers those of
 * docs/protocol/rest.md. index.d.ts describes each call.
 *
 *	rest ◄── session ◄── connection ──► inbox ──► sync ──► inbox ──► events
 *	                          ▲           └──► outbox      └──► conversations, receipts
 *	                          └── outbox, receipts, presence
 */
import { Connection } from './connection.js';
import { Conversations } from './conversations.js';
import { ParleyError, refused, signed_out } from './errors.js';
import { Events } from './events.js';
import { build_frame } from './frames.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { Presence } from './presence.js';
import { Receipts } from './receipts.js';
import { Rest } from './rest.js';
import { Session } from './session.js';
import { MemoryStore } from './store.js';
import { Sync } from './sync.js';
import { Tabs } from './tabs.js';
import { uuid7 } from './uuid.js';

const NEWEST = Number.MAX_SAFE_INTEGER;
/* Between looks for what another tab has left, and between attempts to tell of a logout. */
const LATER_MS = 30000;
/* A tab that says that it leaves has let go of its lock by then. */
const LEFT_MS = 500;

export class Client {
	#store; #tabs; #session; #conversations; #receipts; #presence; #outbox; #sync; #inbox; #connection;
	#events = new Events();
	#status = 'offline';
	#loaded = null;
	#connecting = null;
	#orphans = null;
	#settling = null;

	constructor({ url, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch,
		store = new MemoryStore(), tokens, missedMax }) {
		const base = new URL(url, globalThis.location?.href);
		base.pathname = base.pathname.replace(/\/?$/, '/');
		const socket_url = new URL('ws', base);
		socket_url.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';

		const fault = error => this.#emit('error', error);
		const send = frame => this.#connection.send(frame);
		this.#store = store;
		this.#tabs = new Tabs(store, uuid7(), message => this.#heard(message));
		this.#session = new Session({
			rest: new Rest(base, fetch.bind(globalThis)), store, tabs: this.#tabs, tokens,
			ended: reason => this.#over(reason),
		});
		this.#conversations = new Conversations(it => this.#inbox.changed(it));
		this.#receipts = new Receipts(send);
		this.#presence = new Presence(send);
		this.#outbox = new Outbox({
			store, client: this.#tabs.id, send, fault,
			lane_of: frame => this.#conversations.lane_of(frame), told: frame => this.#emit('state', frame),
			adopted: () => this.#emit('outbox'),
		});
		this.#sync = new Sync({
			request: (...call) => this.#session.request(...call), store, fault,
			conversations: this.#conversations, missed_max: missedMax,
			show: thing => this.#inbox.show(thing), gap: gap => this.#emit('gap', gap),
		});
		this.#inbox = new Inbox({
			session: this.#session, outbox: this.#outbox, sync: this.#sync, receipts: this.#receipts,
			presence: this.#presence, conversations: this.#conversations,
			emit: (name, value) => this.#emit(name, value),
		});
		this.#connection = new Connection({
			url: socket_url.href, WebSocket, session: this.#session,
			trying: () => this.#set_status('connecting'),
			welcome: frame => this.#welcome(frame),
			frame: frame => this.#inbox.take(frame),
			closed: () => this.#closed(),
			failed: error => this.#failed(error), fault,
		});
	}

	/* --- who ----------------------------------------------------------------------------- */
	/* {id, name}, or null. */
	get user() {
		return this.#session.user;
	}

	get status() {
		return this.#status;
	}

	register(name, password) {
		return this.signIn('/auth/register', credentials(name, password));
	}

	login(name, password) {
		return this.signIn('/auth/login', credentials(name, password));
	}

	/* Any call that answers SignedIn, such as /auth/phone/verify. */
	async signIn(path, body) {
		const { id, name } = await this.#session.sign_in(path, body, (user, before) =>
			this.#enter(user, before));
		await this.#load();
		return { id, name };
	}

	/* The user that the store knows, or null: whether there is anything to sign in for. */
	async restore() {
		await this.#load();
		if (!this.user)
			this.#settle();
		return this.user;
	}

	/*
	 * Erases everything here, also if the server cannot be told; then it throws. With a cookie
	 * the server is told later, by this client or the next one of the store.
	 */
	async logout() {
		await this.#load();
		try {
			await this.#session.sign_out(async () => {
				this.#forget_all();
				this.#outbox.clear();
				await this.#store.clear();
			});
		} catch (error) {
			this.#settle_again(error.retryable);
			throw error;
		}
	}

	#settle = () => this.#session.settle().catch(error => this.#settle_again(error.retryable));

	#settle_again(wanted) {
		clearTimeout(this.#settling);
		globalThis.removeEventListener?.('online', this.#settle);
		if (wanted) {
			this.#settling = setTimeout(this.#settle, LATER_MS);
			this.#settling.unref?.();
			globalThis.addEventListener?.('online', this.#settle);
		}
	}

	/* --- the connection --------------------------------------------------------------------- */
	/* Resolves when connected for the first time; a connection that is lost is opened again. */
	async connect() {
		this.#connecting ||= deferred();
		const { promise } = this.#connecting;
		await this.#load();
		if (!this.user)
			this.#failed(signed_out());
		else if (!this.#connection.WebSocket)
			this.#failed(new ParleyError('bad_call', 'there is no WebSocket: give one'));
		else if (this.#status !== 'connected')
			this.#begin();
		else
			this.#connecting.resolve();
		return promise;
	}

	#begin() {
		this.#tabs.join();
		this.#orphans ??= setInterval(() => this.#adopt(), LATER_MS);
		this.#orphans.unref?.();
		globalThis.addEventListener?.('online', this.#nudge);
		globalThis.addEventListener?.('offline', this.#lost);
		globalThis.document?.addEventListener('visibilitychange', this.#nudge);
		this.#connection.start();
	}

	#nudge = () => {
		if (globalThis.document?.visibilityState !== 'hidden')
			this.#connection.nudge();
		else
			this.#receipts.flush(); /* The page may go away. */
	};

	#lost = () => this.#connection.lost();

	/* Nothing is sent or received from now on; what waits stays in the store. */
	async close() {
		this.#stop();
		this.#settle_again(false);
		await this.#sync.save();
		this.#tabs.tell({ what: 'left' });
		this.#tabs.leave();
		this.#failed(new ParleyError('closed', 'the client was closed'));
	}

	#stop() {
		globalThis.removeEventListener?.('online', this.#nudge);
		globalThis.removeEventListener?.('offline', this.#lost);
		globalThis.document?.removeEventListener('visibilitychange', this.#nudge);
		clearInterval(this.#orphans);
		this.#orphans = null;
		this.#connection.stop();
		this.#closed();
		this.#set_status('offline');
		this.#receipts.stop();
		this.#inbox.stop();
	}

	/* --- writing ------------------------------------------------------------------------------ */
	send(what) {
		return this.#write('message', what);
	}

	edit(what) {
		return this.#write('edit', what);
	}

	delete(what) {
		return this.#write('delete', what);
	}

	react(what) {
		return this.#write('react', what);
	}

	#write(kind, { uuid = uuid7(), ...what }) {
		try {
			const frame = build_frame(kind, uuid, what);
			return this.user ? this.#outbox.add(this.user.id, frame) : refused(uuid, signed_out());
		} catch (error) {
			return refused(uuid, error);
		}
	}

	/* What is not saved yet, and what the server has refused: {uuid, state, frame, error?}. */
	outbox() {
		return this.#outbox.list();
	}

	retry(uuid) {
		this.#outbox.retry(uuid);
	}

	discard(uuid) {
		this.#outbox.discard(uuid);
	}

	/* The user has seen everything up to seq. Also: read({conversation, seq}). */
	read(where, at) {
		const { conversation, seq } = typeof where === 'object' ? where : { conversation: where, seq: at };
		this.#receipts.mark('read', conversation, seq);
		this.#conversations.receipt(conversation, { read: seq });
	}

	/* May be called for each key. Also: typing({conversation}). */
	typing(where) {
		this.#presence.typing(where?.conversation ?? where);
	}

	/* Watches these users as well; an empty list ends all watching. Events: `presence`. */
	presence(users) {
		this.#presence.watch(users);
	}

	/* --- reading ------------------------------------------------------------------------------ */
	/* All conversations, latest activity first. */
	async conversations() {
		await this.#load();
		if (this.#status !== 'connected') {
			try {
				await this.#all_conversations();
			} catch (error) {
				if (!error.retryable || !this.#conversations.ids.length)
					throw error;
			}
		}
		return this.#conversations.list();
	}

	async #all_conversations() {
		const gone = new Set(this.#conversations.ids);
		for (let before = ''; before !== null;) {
			const page = await this.request('GET', `/conversations?limit=200${before}`);
			for (const conversation of page.conversations) {
				gone.delete(conversation.id);
				this.#conversations.learn(conversation);
			}
			before = page.next && `&before=${page.next}`;
		}
		gone.forEach(id => this.#conversations.forget(id));
	}

	/*
	 * {messages, next}: a page of entries, ascending. `next` continues in the same direction:
	 * `after` if that was given, else `before`; null at the end.
	 */
	async history(conversation, { before, after, limit = 50 } = {}) {
		const from = after === undefined ? `before=${before ?? NEWEST}` : `after=${after}`;
		const page = await this.request('GET',
			`/conversations/${conversation}/messages?limit=${limit}&${from}`);
		const last = page.messages.at(-1);
		if (last)
			this.#inbox.received(last);
		return page;
	}

	/* Any REST call of the user: the parsed answer, or null. */
	async request(method, path, body) {
		await this.#load();
		return this.#session.request(method, path, body);
	}

	/* Returns a function that removes the listener. */
	on(event, listener) {
		return this.#events.on(event, listener);
	}

	/* --- inside: what the connection brings ---------------------------------------------------- */
	async #welcome(frame) {
		this.#outbox.connected();
		this.#receipts.connected();
		this.#presence.connected();
		this.#adopt();
		this.#emit('welcome', frame);
		try {
			if (await this.#sync.resume()) {
				this.#set_status('connected');
				this.#connecting?.resolve();
				this.#connecting = null;
			}
		} catch (error) {
			this.#emit('error', error);
		}
	}

	#closed() {
		this.#sync.stop();
		this.#outbox.disconnected();
	}

	#failed(error) {
		this.#connecting?.reject(error);
		this.#connecting = null;
		if (this.#status === 'connecting')
			this.#set_status('offline');
	}

	/* --- inside: signing in and out, tabs ------------------------------------------------------- */
	#load() {
		return this.#loaded ||= (async () => {
			if (!await this.#session.load())
				return;
			await this.#sync.load();
			await this.#adopt();
		})().finally(() => {
			if (!this.user)
				this.#loaded = null;
		});
	}

	/* Within the lock of the session, before a new user is known. */
	async #enter(user, before) {
		if (this.user?.id === user.id)
			return;
		if (before && before.id !== user.id || !before && await this.#is_of_another(user)) {
			this.#forget_all();
			this.#outbox.clear();
			await this.#store.clear();
		}
		this.#loaded = null;
	}

	async #is_of_another(user) {
		const waiting = await this.#store.list('outbox/');
		return waiting.some(entry => entry.user !== user.id);
	}

	async #adopt() {
		if (this.user)
			await this.#outbox.adopt(this.user.id, await this.#tabs.alive())
				.catch(error => this.#emit('error', error));
	}

	/* The session is over. Texts go, save what the same user may still want to send. */
	async #over(reason) {
		this.#forget_all();
		if (reason !== 'ended')
			this.#outbox.clear();
		else
			await this.#erase_texts().catch(error => this.#emit('error', error));
		this.#failed(signed_out());
		this.#emit('signedout', { reason });
	}

	async #erase_texts() {
		const stored = await this.#store.list('conversation/');
		await this.#store.delete('cursor');
		for (const { conversation } of stored)
			await this.#store.delete(`conversation/${conversation.id}`);
	}

	#forget_all() {
		this.#stop();
		this.#sync.clear();
		this.#receipts.clear();
		this.#presence.clear();
		this.#loaded = null;
	}

	#heard(message) {
		if (message.what === 'token')
			this.#session.told(message);
		else if (message.what === 'left')
			setTimeout(() => this.#orphans && this.#adopt(), LEFT_MS);
		else if (message.user === this.user?.id)
			this.#session.over(message.what);
	}

	#set_status(status) {
		if (status === 'connecting' && globalThis.navigator?.onLine === false)
			status = 'offline';
		if (status === this.#status)
			return;
		this.#status = status;
		this.#emit('status', status);
	}

	#emit(name, value) {
		this.#events.emit(name, value);
	}
}

/* register('alice', 'secret') or register({name, password}). */
const credentials = (name, password) => typeof name === 'object' ? name : { name, password };

function deferred() {
	const it = {};
	it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }));
	it.promise.catch(() => {});
	return it;
}
