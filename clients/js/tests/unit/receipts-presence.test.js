import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Presence } from '../../src/presence.js';
import { Receipts } from '../../src/receipts.js';

function begin(t, Module) {
	t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1e12 });
	const line = { up: true, sent: [] };
	const it = new Module(frame => line.up && Boolean(line.sent.push(frame)));
	return { it, line, timers: t.mock.timers };
}
const receipt = (type, conversation, seq) => ({ type, conversation, seq });

/* --- receipts --- */
const MERGED = [
	['the highest of each kind', [['delivered', 17, 1], ['delivered', 17, 3], ['delivered', 17, 2]],
		[receipt('delivered', 17, 3)]],
	['read covers delivered', [['delivered', 17, 3], ['read', 17, 3]], [receipt('read', 17, 3)]],
	['delivered beyond read', [['delivered', 17, 5], ['read', 17, 3]],
		[receipt('read', 17, 3), receipt('delivered', 17, 5)]],
	['each conversation', [['read', 17, 3], ['read', 18, 1]], [receipt('read', 17, 3), receipt('read', 18, 1)]],
	['nothing that is no number', [['read', 17, undefined], ['read', 17, NaN]], []],
];
for (const [name, marks, frames] of MERGED)
	test(`receipts within 300 ms are merged: ${name}`, t => {
		const { it, line, timers } = begin(t, Receipts);
		marks.forEach(mark => it.mark(...mark));
		assert.deepEqual(line.sent, []);
		timers.tick(300);
		assert.deepEqual(line.sent, frames);
	});

test('a lower receipt, or the same again, is not sent', t => {
	const { it, line, timers } = begin(t, Receipts);
	for (const seq of [3, 2, 3]) {
		it.mark('read', 17, seq);
		timers.tick(300);
	}
	assert.equal(line.sent.length, 1);
});

test('what waits is sent at once when the page may go away', t => {
	const { it, line, timers } = begin(t, Receipts);
	it.mark('read', 17, 3);
	it.flush();
	assert.deepEqual(line.sent, [receipt('read', 17, 3)]);
	timers.tick(300);
	assert.equal(line.sent.length, 1);
});

test('a receipt without a connection is sent on the next one, until the server has it', t => {
	const { it, line, timers } = begin(t, Receipts);
	line.up = false;
	it.mark('read', 17, 3);
	timers.tick(300);
	line.up = true;
	it.connected();
	it.connected();
	assert.deepEqual(line.sent, Array(2).fill(receipt('read', 17, 3)));
	it.confirm(17, { delivered: 3, read: 2 });
	it.connected();
	assert.equal(line.sent.length, 3);
	it.confirm(17, { delivered: 4, read: 3 });
	it.connected();
	assert.equal(line.sent.length, 3);
});

/* --- presence and typing --- */
test('subscriptions are made again on each connection, 60 in a frame', t => {
	const { it, line } = begin(t, Presence);
	line.up = false;
	it.watch(Array.from({ length: 130 }, (_, n) => n + 1));
	line.up = true;
	it.connected();
	assert.deepEqual(line.sent.map(frame => frame.users.length), [60, 60, 10]);
	assert.equal(it.watches(130), true);
});

test('an empty list ends all subscriptions', t => {
	const { it, line } = begin(t, Presence);
	it.watch([2, 3]);
	it.watch([]);
	it.connected();
	assert.deepEqual(line.sent, [{ type: 'presence', users: [2, 3] }, { type: 'presence', users: [] }]);
});

test('typing goes out once in two seconds for a conversation', t => {
	const { it, line, timers } = begin(t, Presence);
	for (let key = 0; key < 50; key++) {
		it.typing(17);
		it.typing(18);
		timers.tick(100);
	}
	assert.deepEqual(line.sent.map(frame => frame.conversation), [17, 18, 17, 18, 17, 18]);
});

test('typing without a connection is forgotten', t => {
	const { it, line } = begin(t, Presence);
	line.up = false;
	it.typing(17);
	line.up = true;
	it.connected();
	assert.deepEqual(line.sent, []);
	it.typing(17);
	assert.equal(line.sent.length, 1);
});
