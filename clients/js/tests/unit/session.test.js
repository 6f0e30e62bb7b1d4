import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rest } from '../../src/rest.js';
import { Session, cookie_tokens } from '../../src/session.js';
import { MemoryStore } from '../../src/store.js';
import { Tabs } from '../../src/tabs.js';
import { fake_fetch } from '../support/fakes.js';

const alice = { id: 1, name: 'alice' };
const signed_in = (n, expires_in = 3600, user = alice) => [200, {
	token: `access-${n}`, token_type: 'Bearer', expires_in, refresh_token: `refresh-${n}`,
	refresh_expires_in: 1000, user,
}];
const denied = [401, { type: 'about:blank', title: 'Unauthorized', status: 401 }];

/* A session for each store that is given: clients that share a store are tabs of each other. */
function begin(answers, store = new MemoryStore(), tokens = undefined) {
	const fetch = fake_fetch(answers), ended = [];
	const tabs = new Tabs(store, `tab-${Math.random()}`, message => {
		if (message.what === 'token')
			session.told(message);
		else
			session.over(message.what);
	});
	const session = new Session({
		rest: new Rest(new URL('http://x/'), fetch), store, tabs, tokens, ended: reason => ended.push(reason),
	});
	tabs.join();
	const enter = () => session.sign_in('/auth/login', {}, () => {});
	return { session, store, fetch, ended, enter };
}
const refreshes = fetch => fetch.asked.filter(({ path }) => path === 'POST /auth/refresh')
	.map(({ body }) => body.refresh_token);

test('a sign-in keeps the refresh token in the store and the access token in memory', async () => {
	const { session, store, enter } = begin({ 'POST /auth/login': signed_in(1) });
	assert.deepEqual(await enter(), alice);
	assert.equal(await session.token(), 'access-1');
	assert.deepEqual(await store.get('session'), { user: alice, refresh_token: 'refresh-1' });
	assert.doesNotMatch(JSON.stringify(await store.list('')), /access-/);
});

test('a session that the store has needs one refresh', async () => {
	const { session, store, fetch } = begin({ 'POST /auth/refresh': signed_in(2) });
	await store.set('session', { user: alice, refresh_token: 'refresh-1' });
	assert.equal(await session.load(), true);
	assert.deepEqual(session.user, alice);
	assert.equal(await session.token(), 'access-2');
	assert.deepEqual(refreshes(fetch), ['refresh-1']);
	assert.equal((await store.get('session')).refresh_token, 'refresh-2');
});

test('however many ask, one refresh is made', async () => {
	let n = 1;
	const { session, fetch, enter } = begin({
		'POST /auth/login': signed_in(1), 'POST /auth/refresh': () => signed_in(++n),
	});
	await enter();
	const tokens = await Promise.all(Array.from({ length: 20 }, () => session.renew('access-1')));
	assert.deepEqual(new Set(tokens), new Set(['access-2']));
	assert.deepEqual(refreshes(fetch), ['refresh-1']);
});

test('a token that is about to end is renewed before it is used', async () => {
	let n = 1;
	const { session, fetch, enter } = begin({
		'POST /auth/login': signed_in(1, 20), 'POST /auth/refresh': () => signed_in(++n),
	});
	await enter();
	assert.equal(await session.token(), 'access-1');
	const real = Date.now;
	Date.now = () => real() + 16000;
	try {
		assert.equal(await session.token(), 'access-2');
	} finally {
		Date.now = real;
	}
	assert.deepEqual(refreshes(fetch), ['refresh-1']);
});

test('two tabs never use the same refresh token, nor one behind its successor', async () => {
	let n = 1;
	const answers = { 'POST /auth/login': signed_in(1), 'POST /auth/refresh': () => signed_in(++n) };
	const one = begin(answers);
	await one.enter();
	const two = begin(answers, one.store);
	await two.session.load();
	for (let round = 0; round < 10; round++) {
		const stale = await one.session.token();
		await Promise.all([one.session.renew(stale), two.session.renew(stale)]);
		assert.equal(await one.session.token(), await two.session.token());
	}
	const used = [...refreshes(one.fetch), ...refreshes(two.fetch)];
	assert.equal(new Set(used).size, used.length);
	assert.equal((await one.store.get('session')).refresh_token, `refresh-${n}`);
});

test('a lost answer is asked for again with the same token', async () => {
	const ways = [() => { throw new TypeError('cut'); }, () => [503, {}], () => [429, {}, { 'retry-after': '3' }],
		() => [200, '{"token": "acc'], () => signed_in(2)];
	const { session, fetch, enter, ended } = begin({
		'POST /auth/login': signed_in(1), 'POST /auth/refresh': () => ways.shift()(),
	});
	await enter();
	for (const [code, wait] of [['network'], ['unavailable'], ['too_fast', 3000], ['unavailable']])
		await assert.rejects(session.renew('access-1'),
			error => error.code === code && error.retryable && error.retry_after_ms === wait);
	assert.equal(await session.renew('access-1'), 'access-2');
	assert.deepEqual(refreshes(fetch), Array(5).fill('refresh-1'));
	assert.deepEqual(ended, []);
});

test('a token that cannot be stored leaves the old one, which is sent again', async () => {
	let n = 1;
	const { session, store, fetch, enter } = begin({
		'POST /auth/login': signed_in(1), 'POST /auth/refresh': () => signed_in(++n),
	});
	await enter();
	const set = store.set;
	store.set = async () => { throw new Error('quota'); };
	await assert.rejects(session.renew('access-1'), /quota/);
	store.set = set;
	await session.renew('access-1');
	assert.deepEqual(refreshes(fetch), ['refresh-1', 'refresh-1']);
});

for (const status of [400, 401, 403, 422])
	test(`a refresh that is refused with ${status} ends the session in all tabs`, async () => {
		const answers = { 'POST /auth/login': signed_in(1), 'POST /auth/refresh': [status, {}] };
		const one = begin(answers);
		await one.enter();
		const two = begin(answers, one.store);
		await two.session.load();
		await assert.rejects(one.session.renew('access-1'), { code: 'signed_out', retryable: false });
		await new Promise(resolve => setImmediate(resolve));
		assert.deepEqual([one.ended, two.ended], [['ended'], ['ended']]);
		assert.deepEqual([one.session.user, two.session.user], [null, null]);
		assert.equal(await one.store.get('session'), undefined);
		await assert.rejects(two.session.token(), { code: 'signed_out' });
	});

test('a request with a token that the server refuses is made once more with a new one', async () => {
	const { session, fetch, enter } = begin({
		'POST /auth/login': signed_in(1), 'POST /auth/refresh': signed_in(2),
		'GET /x': (_, headers) => headers.authorization === 'Bearer access-2' ? [200, { good: 1 }] : denied,
		'GET /never': denied,
	});
	await enter();
	assert.deepEqual(await session.request('GET', '/x'), { good: 1 });
	await assert.rejects(session.request('GET', '/never'), { status: 401 });
	assert.deepEqual(fetch.asked.map(({ path }) => path), ['POST /auth/login', 'GET /x',
		'POST /auth/refresh', 'GET /x', 'GET /never', 'POST /auth/refresh', 'GET /never']);
});

test('a sign-out ends the session at the server, then here and in the other tabs', async () => {
	const answers = { 'POST /auth/login': signed_in(1), 'POST /auth/logout': [204] };
	const one = begin(answers);
	await one.enter();
	const two = begin(answers, one.store);
	await two.session.load();
	await one.session.sign_out(() => one.store.clear());
	await new Promise(resolve => setImmediate(resolve));
	assert.equal(one.fetch.asked.at(-1).headers.authorization, 'Bearer access-1');
	assert.deepEqual([one.ended, two.ended], [['signed_out'], ['signed_out']]);
	assert.deepEqual(await one.store.list(''), []);
});

test('a sign-out with an access token that does not count any more takes a new one', async () => {
	const { session, store, fetch, enter, ended } = begin({
		'POST /auth/login': signed_in(1), 'POST /auth/refresh': signed_in(2),
		'POST /auth/logout': (_, headers) => headers.authorization === 'Bearer access-2' ? [204] : denied,
	});
	await enter();
	await session.sign_out(() => store.clear());
	assert.deepEqual(fetch.asked.map(({ path }) => path.split('/').at(-1)), ['login', 'logout', 'refresh', 'logout']);
	assert.deepEqual(ended, ['signed_out']);
});

test('a sign-out of a session that is over already is done', async () => {
	const { session, store, enter, ended } = begin({
		'POST /auth/login': signed_in(1), 'POST /auth/refresh': denied, 'POST /auth/logout': denied,
	});
	await enter();
	await session.sign_out(() => store.clear());
	assert.deepEqual(ended, ['signed_out']);
});

/* A refresh token that is not in the JSON: what the option `tokens` is for. */
test('another form of the refresh token takes the place of the JSON', async () => {
	const store = new MemoryStore(), seen = [];
	const answer = () => ({ token: 'access', expires_in: 1, user: alice });
	const fetch = async (url, { body, headers, credentials }) => {
		seen.push([url.pathname, body && JSON.parse(body), headers.form, credentials]);
		return new Response(url.pathname === '/x' ? '{}' : JSON.stringify(answer()));
	};
	const session = new Session({
		rest: new Rest(new URL('http://x/'), fetch), store, tabs: new Tabs(store, 't', () => {}), ended: () => {},
		tokens: {
			options: { headers: { form: 'cookie' }, credentials: 'same-origin' },
			keep: ({ user }) => ({ user }), body: () => ({}),
		},
	});
	await session.sign_in('/auth/login', { name: 'alice' }, () => {});
	await session.renew('access');
	await session.request('GET', '/x');
	assert.deepEqual(seen, [['/auth/login', { name: 'alice' }, 'cookie', 'same-origin'],
		['/auth/refresh', {}, 'cookie', 'same-origin'], ['/x', undefined, undefined, 'omit']]);
	assert.deepEqual(await store.get('session'), { user: alice });
});

test('a sign-out that the server does not hear erases all the same, and says so', async () => {
	const { session, store, ended, enter } = begin({
		'POST /auth/login': signed_in(1), 'POST /auth/logout': [503, {}],
	});
	await enter();
	await assert.rejects(session.sign_out(() => store.clear()), { status: 503 });
	assert.deepEqual(ended, ['signed_out']);
	assert.equal(session.user, null);
	assert.deepEqual(await store.list(''), []);
});

/* --- a cookie, which is still there when the store is erased ----------------------------- */
const with_cookie = (answers, store) => begin(answers, store, cookie_tokens);
const words = fetch => fetch.asked.map(({ path }) => path.split(/[ /]/).at(-1));
const cut = () => { throw new TypeError('cut'); };

test('in a cookie: only what the server wants with a header, and nothing of it in the store', async () => {
	const { session, store, fetch, enter } = with_cookie({
		'POST /auth/login': signed_in(1), 'POST /auth/refresh': signed_in(2), 'GET /auth/sessions': [200, {}],
		'DELETE /auth/sessions/7': [204], 'DELETE /auth/account': [204], 'GET /sync': [200, {}],
		'DELETE /blocks/1': [204], 'POST /auth/logout': [204],
	});
	await enter();
	await session.renew('access-1');
	assert.deepEqual(await store.list(''), [{ user: alice }]);
	for (const call of ['GET /auth/sessions', 'DELETE /auth/sessions/7', 'DELETE /auth/account', 'GET /sync',
		'DELETE /blocks/1'])
		await session.request(...call.split(' '));
	await session.sign_out(() => store.clear());
	const yes = ['cookie', 'same-origin'], no = [undefined, 'omit'];
	assert.deepEqual(fetch.asked.map(({ path, headers, credentials }) =>
		[path, headers['parley-refresh-token'], credentials]), [['POST /auth/login', ...yes],
		['POST /auth/refresh', ...yes], ['GET /auth/sessions', ...no], ['DELETE /auth/sessions/7', ...yes],
		['DELETE /auth/account', ...yes], ['GET /sync', ...no], ['DELETE /blocks/1', ...no],
		['POST /auth/logout', ...yes]]);
	assert.deepEqual(fetch.asked[1].body, {});
	assert.deepEqual(await store.list(''), []);
});

for (const [what, answer] of Object.entries({ 'no network': cut, 503: [503, {}], 429: [429, {}], 403: [403, {}] }))
	test(`in a cookie: a logout that is not heard (${what}) is owed, and told later`, async () => {
		const answers = { 'POST /auth/login': signed_in(1), 'POST /auth/refresh': signed_in(2), 'POST /auth/logout': answer };
		const { session, store, fetch, enter, ended } = with_cookie(answers);
		await enter();
		await assert.rejects(session.sign_out(() => store.clear()));
		assert.deepEqual([ended, await store.list('')], [['signed_out'], [true]]);

		const next = with_cookie(answers, store);
		assert.equal(await next.session.load(), false);
		await assert.rejects(next.session.settle());
		assert.equal(await store.get('logout_owed'), true);
		answers['POST /auth/logout'] = [204];
		await next.session.settle();
		await next.session.settle();
		assert.deepEqual(words(next.fetch), ['refresh', 'logout', 'refresh', 'logout']);
		assert.equal(next.fetch.asked.at(-1).headers.authorization, 'Bearer access-2');
		assert.deepEqual(await store.list(''), []);
		assert.deepEqual(words(fetch), ['login', 'logout']);
	});

test('in a cookie: a logout that is owed is settled if the cookie is of no use any more', async () => {
	const { session, store, fetch } = with_cookie({ 'POST /auth/refresh': denied });
	await store.set('logout_owed', true);
	await session.settle();
	assert.deepEqual([words(fetch), await store.list('')], [['refresh'], []]);
});

for (const [what, refresh, asked] of [['heard', signed_in(1), ['refresh', 'logout', 'login']],
	['not heard', cut, ['refresh', 'login']]])
	test(`in a cookie: a sign-in first tells of the logout that is owed (${what})`, async () => {
		const { session, store, fetch, enter } = with_cookie({
			'POST /auth/refresh': refresh, 'POST /auth/logout': [204], 'POST /auth/login': signed_in(2),
		});
		await store.set('logout_owed', true);
		await enter();
		assert.deepEqual(words(fetch), asked);
		assert.deepEqual(await store.list(''), [{ user: alice }]);
		await session.settle();
		assert.equal(await session.token(), 'access-2');
		assert.deepEqual(words(fetch), asked);
	});

test('in a cookie: a sign-in that is refused leaves the logout owed', async () => {
	const { session, store, enter } = with_cookie({ 'POST /auth/refresh': cut, 'POST /auth/login': denied });
	await store.set('logout_owed', true);
	await assert.rejects(enter(), { status: 401 });
	assert.deepEqual([await session.load(), await store.get('logout_owed')], [false, true]);
});

/* The logout had begun: nobody goes on with the session, and what it has left is erased. */
test('in a cookie: a page that goes away within a logout has signed out', async () => {
	const answers = { 'POST /auth/login': signed_in(1), 'POST /auth/logout': () => new Promise(() => {}) };
	const one = with_cookie(answers);
	await one.enter();
	await one.store.set('outbox/1', 'a text');
	one.session.sign_out(() => one.store.clear()); /* never ends */
	await new Promise(resolve => setImmediate(resolve));

	/* A store of its own, as the lock would hang: what the next page finds. */
	const store = new MemoryStore();
	for (const key of ['session', 'logout_owed', 'outbox/1'])
		await store.set(key, await one.store.get(key));
	const next = with_cookie({ 'POST /auth/refresh': cut }, store);
	assert.equal(await next.session.load(), false);
	await assert.rejects(next.session.settle(), { code: 'network' });
	assert.deepEqual(await store.list(''), [true]);
});

test('in a cookie: a tab that still lives does not go on with a session whose logout is owed', async () => {
	const { session, store, fetch, enter, ended } = with_cookie({ 'POST /auth/login': signed_in(1) });
	await enter();
	await store.set('logout_owed', true);
	await assert.rejects(session.renew('access-1'), { code: 'signed_out' });
	assert.deepEqual([ended, words(fetch)], [['signed_out'], ['login']]);
});

test('another user in another tab ends the session of this one', async () => {
	const one = begin({ 'POST /auth/login': signed_in(1) });
	await one.enter();
	const two = begin({ 'POST /auth/login': signed_in(9, 3600, { id: 9, name: 'bob' }) }, one.store);
	await two.enter();
	await new Promise(resolve => setImmediate(resolve));
	assert.deepEqual(one.ended, ['another_user']);
	assert.equal(two.session.user.id, 9);
});

/* life of the token in s, how much of it is gone -> when to renew after the server's `token`, in s */
for (const [life, gone, expected] of [[3600, 3540, 0], [120, 60, 0], [100, 0, 50], [20, 4, 6], [20, 15, 0]])
	test(`a token of ${life} s, ${gone} s old, is renewed in ${expected} s`, async () => {
		const { session, enter } = begin({ 'POST /auth/login': signed_in(1, life) });
		const now = Date.now(), real = Date.now;
		Date.now = () => now;
		try {
			await enter();
			Date.now = () => now + gone * 1000;
			assert.equal(session.renew_in_ms(), expected * 1000);
		} finally {
			Date.now = real;
		}
	});
