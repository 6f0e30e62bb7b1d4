/*
 * Sessions, tokens and rates, on the Parley of tests/blackbox/support/tight_limits.py: its access
 * tokens live for a few seconds, and it takes 50 frames a second of a user, 100 at once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, MemoryStore } from '../../src/index.js';
import * as stack from '../support/stack.js';
import { new_name, next, password, sleep, until } from '../support/stack.js';

const TOKEN_MS = Number(process.env.TIGHT_TOKENS_S) * 1000;
const url = process.env.TIGHT_URL;
const register = (t, options) => stack.register(t, { url, ...options });
const device = (t, client) => stack.device(t, client, { url });

/* Which sockets were opened, and what REST was asked. */
function watched() {
	const opened = [], asked = [];
	return {
		opened, asked,
		WebSocket: class extends WebSocket {
			constructor(...words) {
				super(...words);
				opened.push(this);
			}
		},
		fetch: (to, ...more) => {
			asked.push(to.pathname);
			return fetch(to, ...more);
		},
	};
}
const count = (asked, path) => asked.filter(it => it === path).length;

test('one socket lives through many tokens, and no message is lost', async t => {
	const { opened, asked, ...doors } = watched();
	const alice = await register(t, doors), seen = [];
	const bob = await register(t);
	alice.on('message', ({ message }) => seen.push(message));
	const sent = [];
	while (count(asked, '/auth/refresh') < 4) {
		sent.push(`${sent.length}`);
		await bob.send({ to: alice.user.id, text: sent.at(-1) }).saved;
		await sleep(TOKEN_MS / 20);
	}
	await until('alice has seen all', () => seen.length === sent.length);
	assert.deepEqual(seen, sent);
	assert.equal(opened.length, 1);
	assert.equal(alice.status, 'connected');
});

test('REST calls at the same moment, with a token that has ended, cost one refresh', async t => {
	const { opened, asked, ...doors } = watched();
	const alice = await register(t, { ...doors, connect: false });
	await sleep(TOKEN_MS * 1.2);
	await Promise.all(Array.from({ length: 10 }, () => alice.request('GET', '/auth/status')));
	assert.deepEqual([count(asked, '/auth/refresh'), opened.length], [1, 0]);
});

test('three tabs on one store stay signed in', async t => {
	const store = Object.assign(new MemoryStore(), { name: new_name() });
	const { asked, ...doors } = watched();
	const first = await register(t, { store, fetch: doors.fetch });
	const tabs = [first];
	for (let n = 0; n < 2; n++) {
		const tab = new Client({ url, store, fetch: doors.fetch });
		t.after(() => tab.close());
		assert.deepEqual(await tab.restore(), first.user);
		await tab.connect();
		tabs.push(tab);
	}
	const signed_out = [];
	tabs.forEach(tab => tab.on('signedout', it => signed_out.push(it)));
	await sleep(TOKEN_MS * 3);
	await Promise.all(tabs.map(tab => tab.request('GET', '/auth/status')));
	assert.deepEqual([signed_out, tabs.map(tab => tab.status)], [[], Array(3).fill('connected')]);
	/* Each renews at half of a life; a token that one tab has told spares the others theirs. */
	assert.ok(count(asked, '/auth/refresh') < 3 * 6, `${count(asked, '/auth/refresh')} refreshes`);
});

test('signing out in one tab signs all out, and erases the store', async t => {
	const store = Object.assign(new MemoryStore(), { name: new_name() });
	const first = await register(t, { store });
	const second = new Client({ url, store });
	t.after(() => second.close());
	await second.restore();
	await second.connect();
	await first.send({ to: first.user.id, text: 'a text' }).saved;
	const gone = [first, second].map(tab => next(tab, 'signedout'));
	await first.logout();
	assert.deepEqual(await Promise.all(gone), Array(2).fill({ reason: 'signed_out' }));
	assert.deepEqual([first.user, second.user, first.status, second.status], [null, null, 'offline', 'offline']);
	await sleep(500); /* longer than a write waits */
	assert.deepEqual(await store.list(''), []);
	await assert.rejects(second.conversations(), { code: 'signed_out' });
});

test('a session that is ended elsewhere: signedout, texts go, the outbox stays for the same user', async t => {
	const store = new MemoryStore(), alice = await register(t, { store });
	const other = await device(t, alice);
	const { conversation } = await alice.send({ to: alice.user.id, text: 'a text' }).saved;
	const gone = next(alice, 'signedout');
	await other.request('DELETE', '/auth/sessions');
	const { saved } = alice.send({ conversation, text: 'kept' });
	assert.deepEqual(await gone, { reason: 'ended' });
	assert.equal(alice.status, 'offline');
	assert.doesNotMatch(JSON.stringify(await store.list('')), /a text/);
	assert.equal(other.status, 'connected');

	const texts = async () => (await other.history(conversation)).messages.map(it => it.message);
	await alice.login(other.user.name, password);
	await alice.connect();
	assert.equal((await saved).conversation, conversation);
	assert.deepEqual(await texts(), ['a text', 'kept']);
});

test('another user on the same store does not get what the first one left', async t => {
	const store = new MemoryStore(), alice = await register(t, { store, connect: false });
	const { saved } = alice.send({ to: alice.user.id, text: 'of alice' });
	saved.catch(() => {});
	await until('it is stored', async () => (await store.list('outbox/')).length);
	await alice.close();
	const bob = await register(t, { store });
	assert.deepEqual([bob.outbox(), await store.list('outbox/')], [[], []]);
	assert.deepEqual(await bob.conversations(), []);
});

test('a tab that closes leaves its messages to another one', async t => {
	const store = Object.assign(new MemoryStore(), { name: new_name() });
	const first = await register(t, { store });
	const second = new Client({ url, store });
	t.after(() => second.close());
	await second.restore();
	const { uuid } = second.send({ to: second.user.id, text: 'written offline' });
	await until('it is stored', async () => (await store.list('outbox/')).length);
	assert.deepEqual(first.outbox(), []);
	const told = next(first, 'state', it => it.uuid === uuid && it.state === 'saved');
	await second.close();
	assert.equal((await told).seq, 1);
	assert.deepEqual(await store.list('outbox/'), []);
});

test('a client that writes faster than allowed sends less: all is saved, and it is not cut off', async t => {
	const { opened, ...doors } = watched(), refused = [], codes = [];
	const alice = await register(t, doors);
	opened[0].addEventListener('message', ({ data }) => data.includes('"too_fast"') && refused.push(data));
	opened[0].addEventListener('close', ({ code }) => codes.push(code));
	const groups = [];
	for (let n = 0; n < 10; n++)
		groups.push(await alice.request('POST', '/conversations', { kind: 'group', name: `g${n}` }));
	const sent = groups.flatMap(({ id }) => Array.from({ length: 40 }, (_, n) =>
		alice.send({ conversation: id, text: `${n}` }).saved));
	await Promise.all(sent);
	for (const { id } of groups) {
		const { messages } = await alice.history(id, { limit: 100 });
		assert.deepEqual(messages.slice(1).map(it => Number(it.message)), Array.from({ length: 40 }, (_, n) => n));
	}
	assert.ok(refused.length, 'it wrote too fast');
	assert.ok(!codes.includes(4429), 'the gateway has cut it off');
});
