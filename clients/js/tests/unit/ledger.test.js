/* The judge of the other tests: each breach is planted, and must be named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Events } from '../../src/events.js';
import { Ledger } from '../support/ledger.js';

const entry = (seq, uuid = `u${seq}`, more) =>
	({ type: 'message', conversation: 1, seq, uuid, user_from: 7, message: `text ${seq}`, ...more });

/* A day without faults: 7 writes three messages, 8 sees them. */
function day() {
	return { written: [1, 2, 3], saved: new Map([1, 2, 3].map(n => [`u${n}`, { conversation: 1, seq: n }])),
		refused: [], history: [1, 2, 3].map(n => entry(n)), seen: [1, 2, 3].map(n => entry(n)) };
}

const BREACHES = [
	['nothing', () => {}, []],
	['never settled', it => it.saved.delete('u3'), ['not settled: text 3']],
	['saved and gone', it => it.history.pop(), ['lost: text 3 was saved as 1/3']],
	['saved elsewhere', it => it.saved.set('u3', { conversation: 1, seq: 4 }), ['lost: text 3 was saved as 1/4']],
	['another text', it => { it.history[1].message = 'x'; }, ['lost: text 2 was saved as 1/2']],
	['saved twice', it => { it.history.push(entry(4, 'u3', { message: 'text 3' })); it.seen.push(entry(4, 'u4')); },
		['saved twice: text 3']],
	['written by nobody', it => { it.history.push(entry(4)); it.seen.push(entry(4)); },
		['nobody wrote message 1/4: text 4']],
	['a resend with a new uuid', it => { it.history.push(entry(4, 'u9', { message: 'text 3' })); it.seen.push(entry(4, 'u9')); },
		['nobody wrote message 1/4: text 3']],
	['the order of writing', it => {
		it.history = [entry(1), entry(2, 'u3', { message: 'text 3' }), entry(3, 'u2', { message: 'text 2' })];
		it.saved.set('u3', { conversation: 1, seq: 2 }).set('u2', { conversation: 1, seq: 3 });
	}, ['the order of writing: text 2 at 1/3']],
	['refused and saved', it => { it.refused = ['u3']; it.saved.delete('u3'); }, ['refused, but in the history: text 3']],
	['shown twice', it => it.seen.push(entry(3)), ['bob saw twice: 1/3']],
	['one uuid under two numbers', it => { it.seen.push(entry(4, 'u3')); }, ['bob saw twice: 1/4']],
	['shown to its author', it => { it.history.push(entry(4, 'u4', { user_from: 8 })); it.seen.push(entry(4, 'u4', { user_from: 8 })); },
		['nobody wrote message 1/4: text 4', 'bob was shown its own 1/4']],
	['shown out of order', it => it.seen.reverse(), ['bob saw out of order: 1/2', 'bob saw out of order: 1/1']],
	['never shown', it => it.seen.splice(1, 1), ['bob never saw 1/2']],
	['a member entry is never shown', it => { it.history.push({ ...entry(4), type: 'member' }); }, ['bob never saw 1/4']],
];

for (const [name, plant, breaches] of BREACHES)
	test(`the ledger finds: ${name}`, async () => {
		const it = day();
		plant(it);
		const ledger = new Ledger(), bob = Object.assign(new Events(), { user: { id: 8 } });
		ledger.observe('bob', bob);
		for (const n of it.written) {
			const uuid = `u${n}`;
			const saved = it.refused.includes(uuid) ? Promise.reject(new Error('refused'))
				: it.saved.has(uuid) ? Promise.resolve(it.saved.get(uuid)) : new Promise(() => {});
			ledger.note(7, n, `text ${n}`, { uuid, saved });
		}
		it.seen.forEach(frame => bob.emit(frame.type, frame));
		await new Promise(resolve => setImmediate(resolve));
		assert.deepEqual(ledger.judge(new Map([[1, it.history]])), breaches);
	});
