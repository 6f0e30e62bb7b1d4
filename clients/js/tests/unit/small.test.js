/* backoff, errors, events, uuid: modules of a few lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../src/backoff.js';
import { ParleyError, frame_error, rest_error } from '../../src/errors.js';
import { Events } from '../../src/events.js';
import { uuid7 } from '../../src/uuid.js';

/* --- backoff --- */
test('the bound of the wait doubles up to its maximum', () => {
	const backoff = new Backoff({ random: () => 1 });
	const waits = Array.from({ length: 9 }, () => backoff.next());
	assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
	backoff.reset();
	assert.equal(backoff.next(), 250);
});

test('the wait is random between 0 and the bound, also the first one', () => {
	const backoff = new Backoff({ random: () => 0.5 });
	assert.equal(backoff.next(), 125);
	assert.equal(new Backoff({ random: () => 0 }).next(), 0);
});

test('what the server asks for is added to the wait', () =>
	assert.equal(new Backoff({ random: () => 0.5 }).next(3000), 3125));

test('a bound that is raised does not fall', () => {
	const backoff = new Backoff({ random: () => 1 });
	backoff.raise(5000);
	backoff.raise(100);
	assert.equal(backoff.next(), 5000);
});

/* --- errors --- */
const STATUSES = [
	[400, 'bad_request', false], [401, 'unauthorized', false], [403, 'not_allowed', false],
	[404, 'not_found', false], [409, 'conflict', false], [410, 'gone', false],
	[413, 'too_large', false], [418, 'refused', false], [422, 'invalid', false],
	[429, 'too_fast', true], [500, 'unavailable', true], [501, 'refused', false],
	[502, 'unavailable', true], [503, 'unavailable', true], [504, 'unavailable', true],
];
for (const [status, code, retryable] of STATUSES)
	test(`a ${status} is ${code}${retryable ? ', retryable' : ''}`, () => {
		const error = rest_error(status, { title: 'T', detail: 'D' }, 7);
		assert.ok(error instanceof ParleyError && error instanceof Error);
		assert.deepEqual({ ...error }, { name: 'ParleyError', code, status, retryable, retry_after_ms: 7000 });
		assert.equal(error.message, 'D');
	});

test('an answer without a problem document is an error too', () =>
	assert.equal(rest_error(502, null, NaN).message, 'unavailable'));

test('a refused frame keeps its code', () => {
	const error = frame_error({ code: 'unavailable', detail: 'later', retryable: true });
	assert.deepEqual([error.code, error.status, error.retryable, error.message],
		['unavailable', 0, true, 'later']);
});

/* --- events --- */
test('a listener hears its event until it is taken off', () => {
	const events = new Events(), heard = [];
	const off = events.on('a', value => heard.push(value));
	events.emit('a', 1);
	events.emit('b', 2);
	off();
	events.emit('a', 3);
	assert.deepEqual(heard, [1]);
});

test('a listener may take off another one while both are called', () => {
	const events = new Events(), heard = [];
	const offs = [1, 2].map(n => events.on('a', () => { heard.push(n); offs.forEach(off => off()); }));
	events.emit('a');
	events.emit('a');
	assert.deepEqual(heard, [1, 2]);
});

test('a listener that throws does not disturb the others', t => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const events = new Events(), heard = [];
	events.on('a', () => { throw new Error('of the application'); });
	events.on('a', value => heard.push(value));
	events.emit('a', 1);
	assert.deepEqual(heard, [1]);
	assert.throws(() => t.mock.timers.tick(1), /of the application/);
});

/* --- uuid --- */
const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a uuid has the form and the time of version 7', () => {
	const now = Date.now() + 1e6;
	const uuid = uuid7(now);
	assert.match(uuid, FORM);
	assert.equal(parseInt(uuid.replaceAll('-', '').slice(0, 12), 16), now);
});

test('uuids rise: within a millisecond, past 4,096 of them, and when the clock goes back', () => {
	const now = Date.now() + 2e6;
	const uuids = [...Array.from({ length: 10000 }, () => uuid7(now)), uuid7(now - 5000)];
	assert.deepEqual(uuids, [...uuids].sort());
	assert.equal(new Set(uuids).size, uuids.length);
	uuids.forEach(uuid => assert.match(uuid, FORM));
});

test('the variant stands whatever the random bytes are', () => {
	for (const byte of [0x00, 0x3f, 0x7f, 0xff])
		assert.match(uuid7(Date.now() + 3e6, bytes => bytes.fill(byte)), FORM);
});
