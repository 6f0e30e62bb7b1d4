/*
 * session - who is signed in, and with which tokens.
 *
 * The access token is in memory only. The store has {user, refresh_token} under `session`. All
 * clients of a store renew under one lock, and read the store within it: so no refresh token is
 * used after its successor, which the server would take for theft. A refresh token stays in the
 * store until its successor is there; if the answer is lost, the server gives the same one again.
 *
 * A cookie outlives the store: a logout that the server has not heard leaves a session behind that
 * the browser could go on with. So the store has `logout_owed` from the logout until the server has
 * heard of it, or a new sign-in has replaced the cookie. Until then no user is found here.
 */
import { signed_out } from './errors.js';

/*
 * How the refresh token travels: here in the JSON of the answers. Another form, such as a cookie,
 * is another object with these members (option `tokens` of the client).
 *
 * options   for the requests that sign in, renew and sign out
 * keep      the answer of a sign-in or refresh -> what the store keeps
 * body      what the store has kept -> the body of POST /auth/refresh
 * outlives_store  true: the refresh token is still there when the store is erased
 */
export const json_tokens = {
	options: {},
	keep: answer => ({ user: answer.user, refresh_token: answer.refresh_token }),
	body: kept => ({ refresh_token: kept.refresh_token }),
};

/* For pages of Parley's own origin: no script can read the cookie (docs/protocol/rest.md, Pages). */
export const cookie_tokens = {
	options: { headers: { 'parley-refresh-token': 'cookie' }, credentials: 'same-origin' },
	keep: answer => ({ user: answer.user }),
	body: () => ({}),
	outlives_store: true,
};

const LOCK = 'session';
const OWED = 'logout_owed';
const EARLY_MS = 30000;

export class Session {
	/* {id, name}, or null. */
	user = null;
	#access = null;
	#renewing = null;

	/*
	 * ended: called when this session is over, with the reason: `ended` (elsewhere, or too
	 * old), `signed_out` (by logout in some tab), `another_user` (signed in in another tab).
	 */
	constructor({ rest, store, tabs, tokens = json_tokens, ended }) {
		Object.assign(this, { rest, store, tabs, tokens, ended });
	}

	/* Takes the session that the store has; false if it has none. */
	async load() {
		this.user ||= (await this.#stored())?.user || null;
		return Boolean(this.user);
	}

	/*
	 * Signs in with any call that answers SignedIn (openapi.yaml): register, login,
	 * /auth/phone/verify. entering: what to do between the answer and the new session.
	 */
	sign_in(path, body, entering) {
		return this.tabs.exclusive(LOCK, async () => {
			/* Best effort: the new cookie takes the place of the old one in any case. */
			await this.#settle().catch(() => {});
			const answer = await this.rest.ask('POST', path, { body, ...this.tokens.options });
			const before = this.user || (await this.store.get('session'))?.user;
			await entering(answer.user, before);
			await this.store.delete(OWED);
			this.user = answer.user;
			await this.#keep(answer);
			return answer.user;
		});
	}

	/* An access token that is good for a while. */
	async token() {
		const early_ms = Math.min(EARLY_MS, (this.#access?.life_ms || 0) / 4);
		if (this.#access && Date.now() < this.#access.ends_at - early_ms)
			return this.#access.token;
		return this.renew(this.#access?.token);
	}

	/*
	 * A newer token than `stale`. However many ask, one request is made; none if another tab
	 * has told a newer token. Calls ended() if the server refuses for good.
	 */
	renew(stale) {
		this.#renewing ||= this.tabs.exclusive(LOCK, () => this.#renew(stale))
			.finally(() => { this.#renewing = null; });
		return this.#renewing;
	}

	async #renew(stale) {
		const user = this.user;
		if (!user)
			throw signed_out();
		if (this.#access && this.#access.token !== stale && Date.now() < this.#access.ends_at)
			return this.#access.token;
		const kept = await this.#stored();
		if (kept?.user.id !== user.id) {
			await this.over(kept ? 'another_user' : 'signed_out', user);
			throw signed_out();
		}
		try {
			await this.#keep(await this.#refresh(kept));
		} catch (error) {
			if (error.retryable !== false)
				throw error;
			await this.store.delete('session');
			this.tabs.tell({ what: 'ended', user: user.id });
			await this.over('ended', user);
			throw signed_out();
		}
		return this.#access.token;
	}

	/* The successor is stored before anybody uses the new access token. */
	async #keep(answer) {
		await this.store.set('session', this.tokens.keep(answer));
		const life_ms = answer.expires_in * 1000;
		this.#access = { token: answer.token, life_ms, ends_at: Date.now() + life_ms };
		this.tabs.tell({ what: 'token', user: this.user.id, access: this.#access });
	}

	/* Another tab has renewed, or signed in. */
	async told({ user, access }) {
		if (this.user && this.user.id !== user)
			await this.over('another_user');
		else if (this.user && !(access.ends_at < this.#access?.ends_at))
			this.#access = access;
	}

	/*
	 * Milliseconds until a token that the server calls short should be renewed: none, or with
	 * a token of less than two minutes until half of its life is over.
	 */
	renew_in_ms() {
		const { life_ms = 0, ends_at = 0 } = this.#access || {};
		return life_ms < 120000 ? Math.max(0, ends_at - life_ms / 2 - Date.now()) : 0;
	}

	/*
	 * A REST call of the user. A token that the server refuses is renewed once. A call that may
	 * end this session, such as DELETE /auth/account, also ends its cookie.
	 */
	async request(method, path, body) {
		const may_end = path.startsWith('/auth/') && method !== 'GET';
		const options = { body, ...may_end && this.tokens.options };
		const token = await this.token();
		try {
			return await this.rest.ask(method, path, { token, ...options });
		} catch (error) {
			if (error.status !== 401)
				throw error;
			return this.rest.ask(method, path, { token: await this.renew(token), ...options });
		}
	}

	/* Ends the session at the server. `erase` erases here, whatever the server says. */
	sign_out(erase) {
		return this.tabs.exclusive(LOCK, async () => {
			const user = this.user;
			if (!user)
				return this.#settle();
			let owed = this.tokens.outlives_store;
			try {
				/* First of all: the page may go away at any moment. */
				if (owed)
					await this.store.set(OWED, true);
				await this.#tell_end();
				owed = false;
			} finally {
				await erase();
				if (owed)
					await this.store.set(OWED, true);
				this.tabs.tell({ what: 'signed_out', user: user.id });
				await this.over('signed_out', user);
			}
		});
	}

	/*
	 * Within the lock. A session that is over already is fine. A 401 of the logout leaves the
	 * cookie: it may be of the access token only. A 401 of the refresh deletes it.
	 */
	async #tell_end() {
		const end = token => this.rest.ask('POST', '/auth/logout', { token, ...this.tokens.options });
		try {
			if (this.#access && Date.now() < this.#access.ends_at)
				return await end(this.#access.token);
		} catch (error) {
			if (error.status !== 401)
				throw error;
		}
		try {
			await end((await this.#refresh(await this.store.get('session'))).token);
		} catch (error) {
			if (error.status !== 401)
				throw error;
		}
	}

	/* Tells the server of a logout that it has not heard. Throws if it still does not. */
	async settle() {
		if (await this.#owes())
			await this.tabs.exclusive(LOCK, () => this.#settle());
	}

	async #settle() {
		if (this.user || !await this.#owes())
			return;
		/* The page went away before it had erased everything. */
		if (await this.store.get('session')) {
			await this.store.clear();
			await this.store.set(OWED, true);
		}
		await this.#tell_end();
		await this.store.delete(OWED);
	}

	/* What goes on. */
	async #stored() {
		return await this.#owes() ? undefined : this.store.get('session');
	}

	async #owes() {
		return this.tokens.outlives_store && await this.store.get(OWED);
	}

	#refresh(kept) {
		return this.rest.ask('POST', '/auth/refresh',
			{ body: this.tokens.body(kept || {}), ...this.tokens.options });
	}

	/* The session of `user` is over, if it is still the one of this client. */
	async over(reason, user = this.user) {
		if (!this.user || this.user !== user)
			return;
		this.user = this.#access = null;
		await this.ended(reason, user);
	}
}
