import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME_MAX, MESSAGE_TEXT_MAX, build_frame } from '../../src/frames.js';

const uuid = '01936f5e-8a2b-7c3d-9e4f-5a6b7c8d9e0f';

/* The frames of docs/protocol/socket.md. */
const GOOD = [
	['message', { to: 2, text: 'hi' }, { message: 'hi', user_to: 2 }],
	['message', { conversation: 17, text: 'hi all', replyTo: 41 },
		{ message: 'hi all', conversation: 17, reply_to: 41 }],
	['edit', { conversation: 17, seq: 42, text: 'hi!' },
		{ type: 'edit', conversation: 17, seq: 42, message: 'hi!' }],
	['delete', { conversation: 17, seq: 42 }, { type: 'delete', conversation: 17, seq: 42 }],
	['react', { conversation: 17, seq: 42, reaction: '👍' },
		{ type: 'react', conversation: 17, seq: 42, reaction: '👍' }],
	['react', { conversation: 17, seq: 42, reaction: '👍', remove: true },
		{ type: 'react', conversation: 17, seq: 42, reaction: '👍', remove: true }],
	['message', { to: 2, text: 'é'.repeat(MESSAGE_TEXT_MAX / 2) },
		{ message: 'é'.repeat(MESSAGE_TEXT_MAX / 2), user_to: 2 }],
];
for (const [kind, what, frame] of GOOD)
	test(`${kind} ${JSON.stringify(what).slice(0, 60)}`, () =>
		assert.deepEqual(build_frame(kind, uuid.toUpperCase(), what), { uuid, ...frame }));

const place = { conversation: 17, seq: 42 };
const BAD = [
	['message', { text: 'hi' }, 'bad_conversation'],
	['message', { to: 2, conversation: 17, text: 'hi' }, 'bad_conversation'],
	['message', { conversation: '17', text: 'hi' }, 'bad_conversation'],
	['message', { to: 0, text: 'hi' }, 'bad_user'],
	['message', { to: 2 ** 53, text: 'hi' }, 'bad_user'],
	['message', { to: null, text: 'hi' }, 'bad_user'],
	['message', { to: 2 }, 'bad_message'],
	['message', { to: 2, text: '' }, 'bad_message'],
	['message', { to: 2, text: 7 }, 'bad_message'],
	['message', { to: 2, text: 'a\ud800b' }, 'bad_message'],
	['message', { to: 2, text: 'a'.repeat(MESSAGE_TEXT_MAX + 1) }, 'message_too_long'],
	['message', { to: 2, text: 'é'.repeat(MESSAGE_TEXT_MAX / 2) + 'a' }, 'message_too_long'],
	['message', { to: 2, text: '\u0001'.repeat(FRAME_MAX / 6) }, 'message_too_long'],
	['message', { to: 2, text: 'hi', replyTo: 0 }, 'bad_seq'],
	['edit', { ...place, text: '' }, 'bad_message'],
	['edit', { conversation: 17, text: 'a' }, 'bad_seq'],
	['delete', { seq: 42 }, 'bad_conversation'],
	['delete', { conversation: 17, seq: 1.5 }, 'bad_seq'],
	['react', { ...place }, 'bad_reaction'],
	['react', { ...place, reaction: '\udc00' }, 'bad_reaction'],
];
for (const [kind, what, code] of BAD)
	test(`${kind} ${JSON.stringify(what).slice(0, 60)} is ${code}`, () =>
		assert.throws(() => build_frame(kind, uuid, what), { code, retryable: false, status: 0 }));

for (const bad of ['', 'x', uuid + '0', uuid.replaceAll('-', ''), undefined])
	test(`${bad} is no uuid`, () =>
		assert.throws(() => build_frame('message', bad, { to: 2, text: 'hi' }), { code: 'bad_uuid' }));
