/*
 * inbox - what becomes of each frame: it goes to the outbox, to sync for its place in the order, or
 * to the listeners; and what sync shows goes to the list, the receipts and the listeners.
 */
import { ParleyError } from './errors.js';

const REFRESH_MS = 300;

export class Inbox {
	#refreshing = new Map();

	/* emit: tells the listeners of an event. */
	constructor({ session, outbox, sync, conversations, receipts, presence, emit }) {
		Object.assign(this, { session, outbox, sync, conversations, receipts, presence, emit });
	}

	/* A frame of the connection. */
	take(frame) {
		const handle = {
			message: () => this.#message(frame),
			member: () => this.sync.entry(frame),
			edit: () => this.sync.change(frame),
			delete: () => this.sync.change(frame),
			reaction: () => this.sync.change(frame),
			state: () => this.#answered(frame),
			error: () => this.outbox.answered(frame) || this.emit('error', error_of(frame)),
			receipt: () => this.#receipt(frame),
			presence: () => this.#present(frame),
		}[frame.type];
		if (handle)
			handle();
		else
			this.emit(frame.type, frame);
	}

	/* An entry or change whose turn it is. */
	show(thing) {
		const own = thing.user_from === this.session.user?.id;
		if (this.#is_waiting(thing)) {
			const saved = saved_of(thing);
			this.#note_own(saved, this.outbox.frame_of(thing.uuid));
			this.outbox.answered(saved);
			return;
		}
		if (thing.type === 'message' || thing.type === 'member') {
			this.conversations.entry(thing, thing.type === 'message' && own);
			this.received(thing);
		} else if (thing.type !== 'revised') {
			this.conversations.change(thing);
		}
		this.emit(thing.type, thing);
		if (thing.type === 'member')
			this.#refresh_soon(thing.conversation);
	}

	/* This client has this entry and all before it. */
	received({ conversation, seq }) {
		if (seq > (this.conversations.get(conversation)?.delivered_seq ?? 0))
			this.receipts.mark('delivered', conversation, seq);
	}

	/* A conversation of the list, or {id, gone: true}. */
	changed(conversation) {
		if (conversation.gone)
			this.receipts.forget(conversation.id);
		this.emit('conversation', conversation);
	}

	stop() {
		for (const timer of this.#refreshing.values())
			clearTimeout(timer);
		this.#refreshing.clear();
	}

	/* The outbox waits for word of this message, which came over another socket, or from the history. */
	#is_waiting({ type, user_from, uuid }) {
		return type === 'message' && user_from === this.session.user?.id && this.outbox.has(uuid);
	}

	#message(frame) {
		if (this.#is_waiting(frame))
			this.#answered(saved_of(frame));
		else
			this.sync.entry(frame);
	}

	#answered(frame) {
		const written = this.outbox.frame_of(frame.uuid);
		if (!written || !this.outbox.answered(frame) || frame.state !== 'saved')
			return;
		this.#note_own(frame, written);
		if (frame.revision === undefined)
			this.sync.entry(frame, false);
		else
			this.sync.change(frame, false);
	}

	/* written: the frame that this `state` saves. */
	#note_own({ id, conversation, seq, revision, created_at, uuid }, written) {
		const author = { conversation, seq, user_from: this.session.user.id, uuid, created_at };
		const message = { ...written, type: 'message', id, ...author };
		if (revision !== undefined)
			this.conversations.change({ ...written, revision, ...author });
		else if (written.user_to && !this.conversations.get(conversation))
			this.sync.begin(direct_of(message));
		else
			this.conversations.entry(message, true);
	}

	#receipt(frame) {
		if (frame.user === this.session.user?.id) {
			this.receipts.confirm(frame.conversation, frame);
			this.conversations.receipt(frame.conversation, frame);
		}
		this.emit('receipt', frame);
	}

	/* Without what the connection has asked for its own sake. */
	#present(frame) {
		const users = frame.users.filter(({ user }) =>
			user !== this.session.user?.id || this.presence.watches(user));
		if (users.length)
			this.emit('presence', { ...frame, users });
	}

	/* A channel that many join is looked up once in a while. */
	#refresh_soon(id) {
		if (!this.#refreshing.has(id))
			this.#refreshing.set(id, setTimeout(() => {
				this.#refreshing.delete(id);
				this.sync.refresh(id).catch(error => this.emit('error', error));
			}, REFRESH_MS));
	}
}

const error_of = frame => Object.assign(new ParleyError(frame.code, frame.detail, frame), { frame });

const saved_of = ({ uuid, id, conversation, seq, created_at }) =>
	({ type: 'state', uuid, state: 'saved', id, conversation, seq, created_at });

/* The direct conversation that a message has begun. */
const direct_of = message => ({
	id: message.conversation, kind: 'direct', name: null, with: { id: message.user_to }, role: 'member',
	members: message.user_to === message.user_from ? 1 : 2, history: 'all', last_seq: message.seq,
	read_seq: message.seq, delivered_seq: message.seq, unread: 0, revision: 0, last_message: message,
});
