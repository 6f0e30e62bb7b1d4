/*
 * receipts - how far the user has received and read, told to the server.
 *
 * A receipt has no answer. The highest of each conversation is sent at most once in 300 ms, and
 * again after a reconnect until the server is known to have it. A page that is hidden sends them at once.
 */
const WAIT_MS = 300;

export class Receipts {
	#wanted = new Map();
	#sent = new Map();
	#timer = null;

	/* send: sends a frame; returns false without a connection. */
	constructor(send) {
		this.send = send;
	}

	/* kind: `delivered` or `read`. */
	mark(kind, conversation, seq) {
		const wanted = this.#wanted.get(conversation) || { delivered: 0, read: 0 };
		if (!(seq > wanted[kind]))
			return;
		wanted[kind] = seq;
		this.#wanted.set(conversation, wanted);
		this.#timer ??= setTimeout(() => this.flush(), WAIT_MS);
	}

	/* The server has these numbers. */
	confirm(conversation, { delivered = 0, read = 0 }) {
		const wanted = this.#wanted.get(conversation);
		if (wanted && wanted.read <= read && wanted.delivered <= Math.max(delivered, read))
			this.forget(conversation);
	}

	forget(conversation) {
		this.#wanted.delete(conversation);
		this.#sent.delete(conversation);
	}

	/* A new connection: nothing was sent on it. */
	connected() {
		this.#sent.clear();
		this.flush();
	}

	stop() {
		clearTimeout(this.#timer);
		this.#timer = null;
	}

	clear() {
		this.stop();
		this.#wanted.clear();
		this.#sent.clear();
	}

	flush() {
		this.stop();
		for (const [conversation, { delivered, read }] of this.#wanted) {
			const sent = this.#sent.get(conversation) || { delivered: 0, read: 0 };
			/* A receipt `read` covers `delivered`. */
			if (read > sent.read && !this.send({ type: 'read', conversation, seq: read }))
				return;
			if (delivered > Math.max(read, sent.delivered) &&
			    !this.send({ type: 'delivered', conversation, seq: delivered }))
				return;
			this.#sent.set(conversation, { delivered: Math.max(delivered, read), read });
		}
	}
}
