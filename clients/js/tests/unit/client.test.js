/* What the client itself adds to its parts; the tests on a running Parley have the rest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, MemoryStore, cookie_tokens } from '../../src/index.js';
import { json_tokens } from '../../src/session.js';
import { fake_fetch, fake_sockets, pass, settle } from '../support/fakes.js';

const alice = { id: 1, name: 'alice' };
const signed_in = [200, { token: 'access', expires_in: 3600, user: alice }];
const cut = () => { throw new TypeError('cut'); };
const words = fetch => fetch.asked.map(({ path }) => path.split('/').at(-1));

/* window: what a page has and Node has not. */
function begin(t, answers, { store = new MemoryStore(), tokens = cookie_tokens } = {}) {
	t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
	const window = new EventTarget();
	for (const name of ['addEventListener', 'removeEventListener'])
		globalThis[name] = window[name].bind(window);
	t.after(() => {
		delete globalThis.addEventListener;
		delete globalThis.removeEventListener;
	});
	const fetch = fake_fetch(answers);
	const client = new Client({ url: 'http://x/', store, tokens, fetch, WebSocket: fake_sockets() });
	return { client, fetch, store, online: () => window.dispatchEvent(new Event('online')), timers: t.mock.timers };
}

const back = { 'POST /auth/refresh': signed_in, 'POST /auth/logout': [204] };

for (const way of ['online', 'half a minute'])
	test(`a logout without a connection is told later: ${way}`, async t => {
		const answers = { 'POST /auth/login': signed_in, 'POST /auth/logout': cut, 'POST /auth/refresh': cut };
		const { client, fetch, store, online, timers } = begin(t, answers);
		await client.login('alice', 'secret');
		await assert.rejects(client.logout(), { code: 'network' });
		const later = () => way === 'online' ? online() : pass(timers, 30000, 10000);
		await later();
		await settle();
		assert.ok(words(fetch).includes('refresh'), 'it has tried');
		assert.equal(await store.get('logout_owed'), true);
		Object.assign(answers, back);
		await later();
		await settle();
		assert.deepEqual(await store.list(''), []);
		const asked = words(fetch);
		assert.equal(asked.at(-1), 'logout');
		online();
		await pass(timers, 60000, 10000);
		assert.deepEqual(words(fetch), asked);
	});

test('the next client of the store tells of the logout, and finds no user', async t => {
	const { client, fetch, store } = begin(t, { ...back });
	await store.set('logout_owed', true);
	assert.equal(await client.restore(), null);
	await settle();
	assert.deepEqual([words(fetch), await store.list('')], [['refresh', 'logout'], []]);
});

test('a client that is closed tells nothing any more', async t => {
	const { client, fetch, store, online, timers } = begin(t, { 'POST /auth/refresh': cut });
	await store.set('logout_owed', true);
	await client.restore();
	await settle();
	await client.close();
	online();
	await pass(timers, 60000, 10000);
	assert.deepEqual(words(fetch), ['refresh']);
});

test('a refusal for good is tried by the next client only', async t => {
	const { client, fetch, store, online, timers } = begin(t, { 'POST /auth/refresh': [400, {}] });
	await store.set('logout_owed', true);
	await client.restore();
	await settle();
	online();
	await pass(timers, 60000, 10000);
	assert.deepEqual([words(fetch), await store.get('logout_owed')], [['refresh'], true]);
});

test('with tokens in JSON nothing is owed', async t => {
	const answers = { 'POST /auth/login': [200, { ...signed_in[1], refresh_token: 'r' }], 'POST /auth/logout': cut };
	const { client, fetch, store, online } = begin(t, answers, { tokens: json_tokens });
	await client.login('alice', 'secret');
	await assert.rejects(client.logout(), { code: 'network' });
	assert.deepEqual([await store.list(''), await client.restore()], [[], null]);
	online();
	await settle();
	assert.deepEqual(words(fetch), ['login', 'logout']);
});

test('what an earlier page has left in the outbox is told', async t => {
	const { client, store } = begin(t, {});
	await store.set('session', { user: alice });
	await store.set('outbox/1', { uuid: '1', user: 1, client: 'gone', n: 1, lane: 'x', state: 'waiting', frame: { uuid: '1' } });
	const told = [];
	client.on('outbox', value => told.push([value, client.outbox().length]));
	await client.restore();
	assert.deepEqual(told, [[undefined, 1]]);
});
