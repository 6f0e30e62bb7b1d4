/* Lines that break while two people chat: nothing is lost, shown twice or out of order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../../src/index.js';
import { Chat, once_each } from '../support/broken_line.js';
import { mutant } from '../support/mutant.js';
import { sleep } from '../support/stack.js';

test('each fault of a line once', async t => assert.deepEqual(await once_each(t, Client), []));

/* A generator of numbers from 0 to 1 that its seed decides (mulberry32). */
function random_of(seed) {
	return () => {
		seed = seed + 0x6d2b79f5 | 0;
		let x = Math.imul(seed ^ seed >>> 15, 1 | seed);
		x ^= x + Math.imul(x ^ x >>> 7, 61 | x);
		return ((x ^ x >>> 14) >>> 0) / 2 ** 32;
	};
}

for (const seed of [1, 2])
	test(`faults of both lines at random, seed ${seed}`, async t => {
		const random = random_of(seed), chat = await Chat.begin(t, Client);
		for (let turn = 0; turn < 60; turn++) {
			chat.says(random() < 0.5 ? 'alice' : 'bob');
			const { line } = random() < 0.5 ? chat.alice : chat.bob;
			const fault = random();
			if (fault < 0.1)
				line.cut();
			else if (fault < 0.2)
				line.deafen();
			else if (fault < 0.5)
				line.mend();
			await sleep(random() * 100);
			/* A line that was deaf has lost answers: it is good only as a new one. */
			if (fault >= 0.2 && fault < 0.5 && random() < 0.5)
				line.cut(), line.mend();
		}
		for (const { line } of [chat.alice, chat.bob])
			line.cut();
		assert.deepEqual(await chat.end(), []);
	});

const BUGGY_MS = 8000;
/* Planted bugs -> a breach that the ledger must name. */
const MUTANTS = [
	['what was missed is passed over', /never saw/, { file: 'sync.js',
		from: "const answer = await page(`after=${after}`);",
		to: "const answer = { messages: [], next: null };" }],
	['a frame is shown when it comes, and in its turn', /saw twice/, { file: 'inbox.js',
		from: "\t\t\tthis.sync.entry(frame);\n\t}",
		to: "\t\t\tthis.emit('message', frame), this.sync.entry(frame);\n\t}" }],
	['sent again under a new uuid', /nobody wrote/, { file: 'outbox.js',
		from: "this.send(item.entry.frame)",
		to: "this.send(item.again ? { ...item.entry.frame, uuid: crypto.randomUUID() } : (item.again = 1, item.entry.frame))" }],
	['the last written is sent first', /the order of writing/, { file: 'outbox.js',
		from: "line.sort((a, b) => by_n(a.entry, b.entry));",
		to: "line.sort((a, b) => by_n(b.entry, a.entry));" }],
];
for (const [name, breach, change] of MUTANTS)
	test(`a planted bug is found: ${name}`, { concurrency: true }, async t => {
		const breaches = await once_each(t, await mutant(t, change), BUGGY_MS);
		assert.ok(breaches.some(text => breach.test(text)), breaches.join('\n') || 'nothing was found');
	});
