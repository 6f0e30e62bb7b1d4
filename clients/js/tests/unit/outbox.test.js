import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../src/outbox.js';
import { MemoryStore } from '../../src/store.js';
import { uuid7 } from '../../src/uuid.js';
import { pass, settle } from '../support/fakes.js';

const ME = 1;
const lane_of = frame => `lane ${frame.user_to ?? frame.conversation}`;
const to = (user, uuid = uuid7()) => ({ uuid, message: 'hi', user_to: user });
const saved = (uuid, seq = 1) => ({ type: 'state', uuid, state: 'saved', id: 9, conversation: 17, seq });
const refusal = (uuid, retryable, code = 'x') =>
	({ type: 'state', uuid, state: 'error', code, detail: 'd', retryable });

async function begin(t, { store = new MemoryStore(), connected = true, client = 'c1' } = {}) {
	t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
	const line = { up: connected, sent: [], told: [], faults: [], adopted: [] };
	const outbox = new Outbox({
		store, client, lane_of, told: frame => line.told.push(frame),
		fault: error => line.faults.push(error), adopted: () => line.adopted.push(outbox.list().length),
		send: frame => line.up && Boolean(line.sent.push(frame.uuid)),
	});
	const add = async frame => {
		const added = outbox.add(ME, frame);
		await settle();
		return added;
	};
	return { outbox, store, line, add, timers: t.mock.timers };
}

test('a message is in the store before it is sent', async t => {
	const { outbox, store, line } = await begin(t);
	let stored_when_sent;
	const send = outbox.send;
	outbox.send = frame => {
		stored_when_sent = store.list('outbox/');
		return send(frame);
	};
	outbox.add(ME, to(2));
	assert.deepEqual(line.sent, []);
	await settle();
	assert.equal((await stored_when_sent).length, 1);
});

test('saved resolves the promise and empties the store', async t => {
	const { outbox, store, line, add } = await begin(t);
	const { uuid, saved: promise } = await add(to(2));
	assert.equal(outbox.answered(saved(uuid)), true);
	assert.equal((await promise).seq, 1);
	assert.deepEqual([await store.list(''), outbox.list(), line.told.length], [[], [], 1]);
});

test('a state of an unknown uuid is not for this outbox', async t => {
	const { outbox, line } = await begin(t);
	assert.equal(outbox.answered(saved(uuid7())), false);
	assert.equal(outbox.answered({ type: 'error', code: 'bad_json', retryable: false }), false);
	assert.deepEqual(line.told, []);
});

test('one frame of a conversation is under way, in the order of writing', async t => {
	const { outbox, line, add } = await begin(t);
	const uuids = [];
	for (const user of [2, 2, 3, 2])
		uuids.push((await add(to(user))).uuid);
	assert.deepEqual(line.sent, [uuids[0], uuids[2]]);
	outbox.answered(saved(uuids[0]));
	assert.deepEqual(line.sent.slice(2), [uuids[1]]);
	outbox.answered(refusal(uuids[1], false));
	assert.deepEqual(line.sent.slice(3), [uuids[3]]);
});

test('what is not saved is sent again after a reconnect, in order, under its uuid', async t => {
	const { outbox, line, add } = await begin(t);
	const uuids = [];
	for (let n = 0; n < 3; n++)
		uuids.push((await add(to(2))).uuid);
	outbox.answered({ type: 'state', uuid: uuids[0], state: 'accepted' });
	line.up = false;
	outbox.disconnected();
	const late = (await add(to(2))).uuid;
	line.up = true;
	line.sent = [];
	outbox.connected();
	for (const uuid of [...uuids, late]) {
		assert.equal(line.sent.at(-1), uuid);
		outbox.answered(saved(uuid));
	}
	assert.equal(line.sent.length, 4);
});

test('what was saved is never sent again', async t => {
	const { outbox, line, add, timers } = await begin(t);
	const { uuid } = await add(to(2));
	outbox.answered(saved(uuid));
	outbox.disconnected();
	outbox.connected();
	await pass(timers, 200000, 1000);
	assert.deepEqual(line.sent, [uuid]);
});

test('no answer: sent again after 10 s; accepted: after 60 s', async t => {
	const { outbox, line, add, timers } = await begin(t);
	const { uuid } = await add(to(2));
	await pass(timers, 9900);
	assert.equal(line.sent.length, 1);
	await pass(timers, 200);
	assert.equal(line.sent.length, 2);
	outbox.answered({ type: 'state', uuid, state: 'accepted' });
	await pass(timers, 59000, 1000);
	assert.equal(line.sent.length, 2);
	await pass(timers, 2000);
	assert.deepEqual(line.sent, [uuid, uuid, uuid]);
});

test('a retryable error is not told: the same uuid is sent again, ever later', async t => {
	const { outbox, line, add, timers } = await begin(t);
	const { uuid, saved: promise } = await add(to(2));
	for (let times = 1; times < 6; times++) {
		assert.deepEqual(line.sent, Array(times).fill(uuid));
		outbox.answered(refusal(uuid, true, 'unavailable'));
		assert.equal(line.sent.length, times);
		for (let waits = 0; line.sent.length === times && waits < 400; waits++)
			await pass(timers, 50);
	}
	outbox.answered(saved(uuid));
	await promise;
	assert.equal(line.told.length, 1);
});

test('a final refusal fails the promise and keeps a message until it is discarded', async t => {
	const { outbox, store, add } = await begin(t);
	const { uuid, saved: promise } = await add(to(2));
	outbox.answered(refusal(uuid, false, 'unknown_user'));
	await assert.rejects(promise, { code: 'unknown_user', retryable: false });
	await settle();
	const [kept] = await store.list('outbox/');
	assert.deepEqual([kept.state, kept.error.code], ['failed', 'unknown_user']);
	outbox.discard(uuid);
	assert.deepEqual([outbox.list(), await store.list('')], [[], []]);
});

test('a change that is refused for good is not kept', async t => {
	const { outbox, store, add } = await begin(t);
	const { uuid, saved: promise } = await add({ uuid: uuid7(), type: 'delete', conversation: 17, seq: 1 });
	outbox.answered(refusal(uuid, false, 'not_allowed'));
	await assert.rejects(promise, { code: 'not_allowed' });
	assert.deepEqual([outbox.list(), await store.list('')], [[], []]);
});

for (const [name, again] of [['retry', (outbox, frame) => outbox.retry(frame.uuid)],
	['the same uuid', (outbox, frame) => outbox.add(ME, frame)]])
	test(`${name} sends a failed message again, behind what was written since`, async t => {
		const { outbox, line, add } = await begin(t);
		const frame = to(2);
		await add(frame);
		outbox.answered(refusal(frame.uuid, false));
		const { uuid } = await add(to(2));
		again(outbox, frame);
		await settle();
		outbox.answered(saved(uuid));
		assert.deepEqual(line.sent, [frame.uuid, uuid, frame.uuid]);
		assert.equal(outbox.answered(saved(frame.uuid, 2)), true);
	});

test('discard and retry leave alone what is under way', async t => {
	const { outbox, line, add } = await begin(t);
	const { uuid } = await add(to(2));
	outbox.discard(uuid);
	outbox.retry(uuid);
	assert.deepEqual([outbox.list().length, line.sent.length], [1, 1]);
});

test('an answer that comes twice settles once', async t => {
	const { outbox, line, add } = await begin(t);
	const { uuid } = await add(to(2));
	assert.equal(outbox.answered(saved(uuid)), true);
	assert.equal(outbox.answered(saved(uuid)), false);
	assert.equal(line.told.length, 1);
});

test('the same uuid twice is one message', async t => {
	const { line, add } = await begin(t);
	const frame = to(2);
	const first = await add(frame), second = await add({ ...frame });
	assert.equal(first.saved, second.saved);
	assert.equal(line.sent.length, 1);
});

test('a new client of the same user takes over what waits, in order', async t => {
	const one = await begin(t, { connected: false });
	const uuids = [];
	for (let n = 0; n < 3; n++)
		uuids.push((await one.add(to(2))).uuid);
	await one.store.set('outbox/other', { uuid: 'other', user: 99, n: 1, client: 'c9', state: 'waiting', frame: {} });
	t.mock.timers.reset();
	const two = await begin(t, { store: one.store, client: 'c2' });
	await two.outbox.adopt(ME, new Set(['c2']));
	for (const uuid of uuids)
		two.outbox.answered(saved(uuid));
	assert.deepEqual(two.line.sent, uuids);
	const { uuid } = await two.add(to(2));
	assert.equal(two.line.sent.at(-1), uuid);
});

test('what a client that lives has in its hands is left alone', async t => {
	const one = await begin(t, { connected: false });
	await one.add(to(2));
	t.mock.timers.reset();
	const two = await begin(t, { store: one.store, client: 'c2' });
	await two.outbox.adopt(ME, new Set(['c1', 'c2']));
	assert.deepEqual([two.outbox.list(), two.line.adopted], [[], []]);
	await two.outbox.adopt(ME, new Set(['c2']));
	assert.equal(two.outbox.list().length, 1);
});

test('what is taken over is told once, when it is listed', async t => {
	const one = await begin(t, { connected: false });
	for (let n = 0; n < 3; n++)
		await one.add(to(2));
	t.mock.timers.reset();
	const two = await begin(t, { store: one.store, client: 'c2', connected: false });
	await two.add(to(2));
	await two.outbox.adopt(ME, null);
	await two.outbox.adopt(ME, null);
	assert.deepEqual(two.line.adopted, [4]);
});

test('a failed message survives a restart as failed', async t => {
	const one = await begin(t);
	const { uuid } = await one.add(to(2));
	one.outbox.answered(refusal(uuid, false));
	await settle();
	t.mock.timers.reset();
	const two = await begin(t, { store: one.store });
	await two.outbox.adopt(ME, null);
	assert.equal(two.outbox.list()[0].state, 'failed');
	assert.deepEqual(two.line.sent, []);
});

test('a store that fails does not keep a message from being sent', async t => {
	const { store, line, add } = await begin(t);
	store.set = async () => { throw new Error('quota'); };
	const { uuid } = await add(to(2));
	assert.deepEqual(line.sent, [uuid]);
	assert.match(line.faults[0].message, /quota/);
});

test('the queue has a bound', async t => {
	const { outbox } = await begin(t, { connected: false });
	let last;
	for (let n = 0; n < 1101; n++)
		last = outbox.add(ME, to(2));
	await assert.rejects(last.saved, { code: 'outbox_full', retryable: true });
	assert.equal(outbox.list().length, 1100);
});

test('64 conversations at a time; the others follow as answers come', async t => {
	const { outbox, line, add } = await begin(t);
	const uuids = [];
	for (let user = 1; user <= 100; user++)
		uuids.push((await add(to(user))).uuid);
	assert.equal(line.sent.length, 64);
	for (const uuid of uuids)
		outbox.answered(saved(uuid));
	assert.deepEqual([...line.sent].sort(), uuids.sort());
});

test('a sign-out fails what waits', async t => {
	const { outbox, line, add, timers } = await begin(t);
	const { saved: promise } = await add(to(2));
	outbox.clear();
	await assert.rejects(promise, { code: 'signed_out' });
	await pass(timers, 100000, 1000);
	assert.equal(line.sent.length, 1);
});

test('an answer of the store that is late brings back nothing that is settled', async t => {
	const { outbox, store, line, add } = await begin(t);
	const { uuid } = await add(to(2));
	const listed = await store.list('outbox/');
	outbox.answered(saved(uuid));
	store.list = async () => listed;
	await outbox.adopt(ME, null);
	assert.deepEqual([outbox.list(), line.sent], [[], [uuid]]);
});

test('too_fast: nothing of any conversation is sent for a second', async t => {
	const { outbox, line, add, timers } = await begin(t);
	const first = await add(to(2)), second = await add(to(3));
	outbox.answered(refusal(first.uuid, true, 'too_fast'));
	outbox.answered(saved(second.uuid));
	const third = await add(to(3));
	await pass(timers, 900);
	assert.deepEqual(line.sent, [first.uuid, second.uuid]);
	await pass(timers, 200);
	assert.deepEqual(line.sent.slice(2).sort(), [first.uuid, third.uuid].sort());
});
