/*
 * connection - one socket at a time, opened again and again until it is told to stop.
 *
 * It gets tokens from the session, waits with full jitter before it reconnects, renews the token
 * in place before it ends, and gives up a connection that has gone silent.
 */
import { Backoff } from './backoff.js';

const OPEN_MS = 20000;
const ANSWER_MS = 10000;
const STEADY_MS = 10000;
/* After 4429 the bound of the wait is at least this. */
const SLOWER_MS = 5000;
const TOKEN_IS_BAD = 4401;
const SENT_TOO_FAST = 4429;

export class Connection {
	#socket = null;
	#wanted = false;
	#running = false;
	#welcomed = false;
	#wake = () => {};
	#timers = new Set();
	#heard_at = 0;
	#probed_at = 0;
	#token = null;
	#user = 0;
	#over = () => {};
	#renewing = false;

	/*
	 * url        of the socket
	 * session    gives tokens; `request` tells whether the token is good when a handshake fails
	 * welcome, frame, closed, trying
	 *            callbacks: a socket is open; a frame has arrived; the socket has gone; the next
	 *            attempt begins or is waited for
	 * failed     callback: nothing more is tried, because of this error
	 * fault      callback: an error that is not the server's, such as one of the store
	 */
	constructor({ url, WebSocket, session, backoff = new Backoff(), ...callbacks }) {
		Object.assign(this, { url, WebSocket, session, backoff }, callbacks);
	}

	start() {
		this.#wanted = true;
		if (!this.#running)
			this.#run();
	}

	stop() {
		this.#wanted = false;
		this.#wake();
		this.#drop(1000);
	}

	/* False if there is no open socket. */
	send(frame) {
		if (!this.#welcomed)
			return false;
		this.#socket.send(JSON.stringify(frame));
		return true;
	}

	/* The network may be back, or a page visible again: try now, or see whether it lives. */
	nudge() {
		this.#wake();
		if (this.#welcomed)
			this.#probe();
	}

	/* The host says that there is no network. */
	lost() {
		this.#drop(4000);
	}

	async #run() {
		this.#running = true;
		while (this.#wanted) {
			this.trying();
			try {
				await this.#one_socket(await this.session.token());
			} catch (error) {
				if (error.retryable === false) {
					this.#wanted = false;
					this.failed(error);
					break;
				}
				if (error.retryable === undefined)
					this.fault(error);
				await this.#pause(error.retry_after_ms);
			}
		}
		this.#running = false;
	}

	/* Throws what the session says of the token; resolves when the next attempt is due. */
	async #one_socket(token) {
		if (!this.#wanted)
			return;
		const { code, lived_ms, welcomed } = await this.#open_until_closed(token);
		if (lived_ms > STEADY_MS)
			this.backoff.reset();
		if (code === SENT_TOO_FAST)
			this.backoff.raise(SLOWER_MS);
		if (!this.#wanted)
			return;
		this.trying();
		await this.#pause();
		if (code === TOKEN_IS_BAD)
			await this.session.renew(token);
		else if (!welcomed && this.#wanted)
			/* A browser does not say why a handshake failed: REST does. */
			await this.session.request('GET', '/auth/status');
	}

	async #pause(at_least_ms) {
		if (!this.#wanted)
			return;
		let timer;
		await new Promise(resolve => {
			this.#wake = resolve;
			timer = this.#later(this.backoff.next(at_least_ms), resolve);
		});
		this.#cancel(timer);
	}

	#open_until_closed(token) {
		return new Promise(resolve => {
			const socket = new this.WebSocket(this.url, ['parley', `bearer.${token}`]);
			const began = Date.now();
			const timer = this.#later(OPEN_MS, () => this.#drop(4000));
			const over = (code, reason) => {
				if (this.#socket !== socket)
					return;
				const welcomed = this.#welcomed;
				this.#socket = null;
				this.#welcomed = false;
				socket.onopen = socket.onmessage = socket.onclose = null;
				socket.onerror = () => {};
				this.#clear_timers();
				if (welcomed)
					this.closed({ code, reason });
				resolve({ code, welcomed, lived_ms: welcomed ? Date.now() - began : 0 });
			};
			this.#socket = socket;
			this.#token = token;
			this.#over = over;
			socket.onerror = () => {};
			socket.onclose = event => over(event.code, event.reason);
			socket.onmessage = event => {
				this.#heard_at = Date.now();
				this.#probed_at = 0;
				let frame;
				try {
					frame = JSON.parse(event.data);
				} catch {
					return;
				}
				if (frame.type === 'welcome') {
					this.#cancel(timer);
					this.#welcomed = true;
					this.#watch(frame);
					this.welcome(frame);
				} else {
					this.#heed(frame);
					this.frame(frame);
				}
			};
		});
	}

	/* Closes the socket, and does not wait for the other side. */
	#drop(code) {
		const socket = this.#socket;
		if (!socket)
			return;
		this.#over(code, '');
		try {
			socket.close(code);
		} catch {
			/* It was not open yet, and this implementation minds. */
		}
	}

	/* --- silence: a script does not see the pings, so it asks for an answer ---------- */
	#watch({ ping_interval_s, user }) {
		this.#user = user;
		const interval_ms = ping_interval_s * 1000;
		const check = () => {
			const now = Date.now();
			if (this.#probed_at && now - this.#probed_at > ANSWER_MS)
				return this.#drop(4000);
			if (!this.#probed_at && now - this.#heard_at > 2 * interval_ms)
				this.#probe();
			this.#later(interval_ms / 5, check);
		};
		this.#later(interval_ms / 5, check);
	}

	/* The only frame that changes nothing and is always answered. */
	#probe() {
		this.#probed_at ||= Date.now();
		this.send({ type: 'presence', users: [this.#user] });
	}

	/* --- the token of the socket --------------------------------------------------- */
	#heed({ type, code, uuid, conversation }) {
		if (type === 'token')
			this.#renew(this.session.renew_in_ms());
		else if (type === 'auth')
			this.#renewing = false;
		else if (type === 'error' && this.#renewing && !uuid && !conversation &&
			 (code === 'bad_token' || code === 'unavailable' || code === 'too_fast'))
			this.#renew(this.backoff.next(1000));
	}

	#renew(wait_ms) {
		const socket = this.#socket;
		this.#renewing = true;
		this.#later(wait_ms, async () => {
			try {
				const token = await this.session.renew(this.#token);
				if (this.#socket !== socket)
					return;
				this.#token = token;
				this.send({ type: 'auth', token });
			} catch (error) {
				if (this.#socket === socket && error.retryable !== false)
					this.#renew(this.backoff.next(error.retry_after_ms));
			}
		});
	}

	/* --- timers, which end with the socket ------------------------------------------- */
	#later(ms, work) {
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			work();
		}, ms);
		this.#timers.add(timer);
		return timer;
	}

	#cancel(timer) {
		clearTimeout(timer);
		this.#timers.delete(timer);
	}

	#clear_timers() {
		for (const timer of this.#timers)
			this.#cancel(timer);
		this.#renewing = false;
		this.#probed_at = 0;
	}
}
