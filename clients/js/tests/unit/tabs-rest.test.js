import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rest } from '../../src/rest.js';
import { MemoryStore } from '../../src/store.js';
import { Tabs } from '../../src/tabs.js';
import { fake_fetch } from '../support/fakes.js';

/* --- tabs: a store with a name uses Web Locks and BroadcastChannel, which Node has too --- */
const named = name => Object.assign(new MemoryStore(), { name });
const soon = () => new Promise(resolve => setTimeout(resolve, 20));
const SHARED = [
	['one store object', () => { const store = new MemoryStore(); return [store, store]; }],
	['two stores of one name', () => { const name = `n${Math.random()}`; return [named(name), named(name)]; }],
];
for (const [how, stores] of SHARED) {
	test(`${how}: work under one key runs one after the other, also behind a failure`, async () => {
		const [one, two] = stores().map((store, n) => new Tabs(store, `t${n}`, () => {}));
		const log = [];
		const work = (name, fails) => async () => {
			log.push(`${name} begins`);
			await soon();
			log.push(`${name} ends`);
			if (fails)
				throw new Error('of the work');
			return name;
		};
		const all = await Promise.allSettled([one.exclusive('k', work('a', true)),
			two.exclusive('k', work('b')), one.exclusive('k', work('c'))]);
		assert.deepEqual(all.map(({ status, value }) => value ?? status), ['rejected', 'b', 'c']);
		assert.equal(log.length, 6);
		for (let at = 0; at < 6; at += 2)
			assert.equal(log[at].replace('begins', 'ends'), log[at + 1]);
	});

	test(`${how}: the others hear, the teller does not; who has left hears nothing`, async () => {
		const heard = [];
		const [one, two] = stores().map((store, n) => new Tabs(store, `t${n}`, it => heard.push(`t${n} ${it}`)));
		one.join();
		two.join();
		one.tell('x');
		await soon();
		two.leave();
		one.tell('y');
		await soon();
		one.leave();
		assert.deepEqual(heard, ['t1 x']);
	});

	test(`${how}: a client is alive from join to leave`, async () => {
		const [one, two] = stores().map((store, n) => new Tabs(store, `t${n}-${how}`, () => {}));
		one.join();
		two.join();
		await soon();
		assert.deepEqual([...await one.alive()].sort(), [one.id, two.id].sort());
		two.leave();
		await soon();
		assert.deepEqual([...await one.alive()], [one.id]);
		one.leave();
	});
}

test('clients of different stores have nothing to do with each other', async () => {
	const heard = [];
	const [one, two] = [1, 2].map(n => new Tabs(new MemoryStore(), `t${n}`, it => heard.push(it)));
	one.join();
	two.join();
	one.tell('x');
	await soon();
	assert.deepEqual(heard, []);
});

/* --- rest --- */
const rest = answers => new Rest(new URL('http://x/base/'), fake_fetch(answers));

test('a path lies below the address of the installation', async () => {
	assert.deepEqual(await rest({ 'GET /base/sync?since=A': [200, { more: false }] }).ask('GET', '/sync?since=A'),
		{ more: false });
});

test('an answer without a body is null', async () =>
	assert.equal(await rest({ 'POST /base/auth/logout': [204] }).ask('POST', '/auth/logout'), null));

const FAILURES = [
	['a problem document', [404, { title: 'Not Found', status: 404, detail: 'no' }], { code: 'not_found', status: 404, message: 'no' }],
	['an error without JSON', [502, '<html>'], { code: 'unavailable', status: 502, retryable: true }],
	['half an answer', [200, '{"a":'], { code: 'unavailable', status: 502, retryable: true }],
	['Retry-After', [429, {}, { 'retry-after': '2' }], { code: 'too_fast', retry_after_ms: 2000 }],
	['no answer', () => { throw new TypeError('failed'); }, { code: 'network', status: 0, retryable: true }],
];
for (const [name, answer, error] of FAILURES)
	test(`${name} is an error`, async () =>
		assert.rejects(rest({ 'GET /base/x': answer }).ask('GET', '/x'), error));
