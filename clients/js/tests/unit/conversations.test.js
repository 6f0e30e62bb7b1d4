import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversations } from '../../src/conversations.js';

const conversation = (id, more) => ({
	id, kind: 'group', name: `c${id}`, with: null, role: 'member', members: 2, history: 'all', last_seq: 5,
	read_seq: 3, delivered_seq: 4, unread: 2, revision: 0,
	last_message: { type: 'message', id: id * 10, conversation: id, seq: 5, message: 'old' }, ...more,
});
const entry = (seq, more) => ({ type: 'message', id: 100 + seq, conversation: 1, seq, message: 'new', ...more });

function begin(...known) {
	const changes = [], list = new Conversations(it => changes.push(it));
	known.forEach(it => list.learn(it));
	changes.length = 0;
	return { list, changes };
}

test('the list has the latest activity first', () => {
	const { list } = begin(conversation(1), conversation(3), conversation(2), conversation(4, { last_message: null }));
	assert.deepEqual(list.list().map(({ id }) => id), [3, 2, 1, 4]);
	list.entry(entry(6));
	assert.equal(list.list()[0].id, 1);
});

const CHANGES = [
	['a message counts as unread', it => it.entry(entry(6)), { last_seq: 6, unread: 3, last_message: entry(6) }],
	['an own message has read all before', it => it.entry(entry(6), true),
		{ last_seq: 6, read_seq: 6, delivered_seq: 6, unread: 0, last_message: entry(6) }],
	['an old message changes nothing', it => it.entry(entry(5)), null],
	['read lowers unread', it => it.receipt(1, { read: 5 }), { read_seq: 5, delivered_seq: 5, unread: 0 }],
	['nobody reads beyond the last message', it => it.receipt(1, { read: 9 }), { read_seq: 5, delivered_seq: 5, unread: 0 }],
	['a lower receipt changes nothing', it => it.receipt(1, { read: 2, delivered: 4 }), null],
	['an edit of the last message', it => it.change({ type: 'edit', conversation: 1, seq: 5, revision: 7, message: 'x' }),
		{ revision: 7, last_message: { type: 'message', id: 10, conversation: 1, seq: 5, message: 'x', edited_at: undefined } }],
	['a deletion of the last message', it => it.change({ type: 'delete', conversation: 1, seq: 5, revision: 7, created_at: 't' }),
		{ revision: 7, last_message: { type: 'message', id: 10, conversation: 1, seq: 5, message: '', deleted_at: 't' } }],
	['an edit of another message', it => it.change({ type: 'edit', conversation: 1, seq: 4, revision: 7, message: 'x' }),
		{ revision: 7 }],
	['an answer that is older than what was shown', it => it.learn(conversation(1, { last_seq: 4, read_seq: 2 })),
		{ last_seq: 5, read_seq: 3, unread: 2 }],
];
for (const [name, act, change] of CHANGES)
	test(name, () => {
		const { list, changes } = begin(conversation(1));
		act(list);
		assert.deepEqual(list.get(1), { ...conversation(1), ...change });
		assert.equal(changes.length, change ? 1 : 0);
	});

test('what concerns an unknown conversation is passed over', () => {
	const { list, changes } = begin();
	list.entry(entry(6));
	list.receipt(1, { read: 5 });
	list.change({ type: 'edit', conversation: 1, seq: 5, revision: 7 });
	list.forget(1);
	assert.deepEqual(changes, []);
});

test('a direct conversation has one lane, whichever way it is named', () => {
	const { list } = begin(conversation(1), conversation(2, { kind: 'direct', with: { id: 7 } }));
	assert.deepEqual([{ user_to: 7 }, { conversation: 2 }, { conversation: 1 }, { conversation: 9 }].map(it => list.lane_of(it)),
		['user/7', 'user/7', 'conversation/1', 'conversation/9']);
});

test('a conversation that has gone is told', () => {
	const { list, changes } = begin(conversation(1));
	list.forget(1);
	assert.deepEqual([changes, list.list()], [[{ id: 1, gone: true }], []]);
});
