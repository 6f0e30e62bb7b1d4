import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../src/timeline.js';

/* Numbers as they arrive (negative: own, not shown) -> what is shown, and what is missing. */
const ROWS = [
	{ name: 'numbers in order are shown at once', arrive: [6, 7, 8], shown: [6, 7, 8], missing: 0 },
	{ name: 'an early number waits for the lower ones', arrive: [7, 6], shown: [6, 7], missing: 0 },
	{ name: 'a gap is missing up to what is held', arrive: [6, 9], shown: [6], missing: 8 },
	{ name: 'two gaps: the first one is missing', arrive: [8, 11], shown: [], missing: 7 },
	{ name: 'what comes twice is shown once', arrive: [6, 6, 7, 7, 6], shown: [6, 7], missing: 0 },
	{ name: 'what comes twice while it is held is shown once', arrive: [7, 7, 6], shown: [6, 7], missing: 0 },
	{ name: 'what was shown before is not shown', arrive: [5, 4, 1, 6], shown: [6], missing: 0 },
	{ name: 'an own one fills its place and is not shown', arrive: [7, -6, 8], shown: [7, 8], missing: 0 },
	{ name: 'an own one that comes again as a message is not shown', arrive: [-6, 6], shown: [], missing: 0 },
	{ name: 'all orders end the same', arrive: [10, 8, 9, 6, 7], shown: [6, 7, 8, 9, 10], missing: 0 },
];

for (const { name, arrive, shown, missing } of ROWS)
	test(name, () => {
		const timeline = new Timeline(5), seen = [];
		for (const number of arrive) {
			timeline.put(Math.abs(number), number < 0 ? null : number);
			seen.push(...timeline.take());
		}
		assert.deepEqual(seen, shown);
		assert.equal(timeline.missing_to, missing);
	});

test('what is known to exist is missing until it has come', () => {
	const timeline = new Timeline(5);
	timeline.expect(7);
	assert.equal(timeline.missing_to, 7);
	timeline.put(6, 'six');
	timeline.put(7, 'seven');
	assert.deepEqual(timeline.take(), ['six', 'seven']);
	assert.equal(timeline.missing_to, 0);
});

test('skip shows what is held below, in order, and goes on behind it', () => {
	const timeline = new Timeline(5);
	for (const number of [12, 9, 7])
		timeline.put(number, number);
	assert.deepEqual(timeline.skip(10), [7, 9]);
	assert.equal(timeline.shown, 10);
	assert.equal(timeline.missing_to, 11);
	assert.deepEqual([...timeline.skip(11), ...timeline.take()], [12]);
});

test('skip does not go back', () => {
	const timeline = new Timeline(5);
	assert.deepEqual(timeline.skip(3), []);
	assert.equal(timeline.shown, 5);
});

test('every order of six numbers, each twice, is shown in order and once', () => {
	const orders = numbers => numbers.length < 2 ? [numbers] : numbers.flatMap((first, at) =>
		orders([...numbers.slice(0, at), ...numbers.slice(at + 1)]).map(rest => [first, ...rest]));
	for (const order of orders([1, 2, 3, 4, 5, 6])) {
		const timeline = new Timeline(0), seen = [];
		for (const number of order.flatMap(n => [n, n])) {
			timeline.put(number, number);
			seen.push(...timeline.take());
		}
		assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
	}
});
