import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversations } from '../../src/conversations.js';
import { ParleyError } from '../../src/errors.js';
import { MemoryStore } from '../../src/store.js';
import { Sync } from '../../src/sync.js';
import { pass, settle } from '../support/fakes.js';

const message = (seq, conversation = 17) =>
	({ type: 'message', id: seq, conversation, seq, user_from: 2, uuid: `u${seq}`, message: `m${seq}` });
const edit = (revision, seq = 1) =>
	({ type: 'edit', conversation: 17, seq, revision, user_from: 2, message: `e${revision}` });

/* A server with conversation 17: what REST answers follows from `entries` and `changed`. */
class Server {
	entries = [];
	changed = [];
	kind = 'direct';
	read_seq = 0;
	member = true;
	asked = [];
	failures = [];

	has(...seqs) {
		this.entries = seqs.map(seq => message(seq));
		return this;
	}

	get conversation() {
		return {
			id: 17, kind: this.kind, name: null, with: { id: 2 }, role: 'member', members: 2,
			history: 'all', last_seq: this.entries.at(-1)?.seq ?? 0, read_seq: this.read_seq,
			delivered_seq: 0, unread: 0, last_message: this.entries.at(-1) ?? null,
			revision: this.changed.at(-1)?.revision ?? 0,
		};
	}

	request = async (method, path) => {
		this.asked.push(path);
		const failure = this.failures.shift();
		if (failure)
			throw failure;
		const url = new URL(path, 'http://x');
		if (url.pathname === '/sync')
			return this.member ? { conversations: [this.conversation], gone: [], cursor: 'C', more: false }
				: { conversations: [], gone: [17], cursor: 'D', more: false };
		if (!this.member)
			throw new ParleyError('not_found', '', { status: 404 });
		if (url.pathname === '/conversations/17')
			return this.conversation;
		const after = Number(url.searchParams.get('after') ?? NaN);
		const revised = Number(url.searchParams.get('revised') ?? NaN);
		const limit = 3;
		const all = isNaN(after) ? this.changed.filter(it => it.revision > revised)
			: this.entries.filter(it => it.seq > after);
		const page = all.slice(0, limit);
		const last = page.at(-1);
		return { messages: page, next: all.length > limit ? last.revision ?? last.seq : null };
	};
}

async function begin(t, { server = new Server(), store = new MemoryStore(), stored, missed_max } = {}) {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const shown = [], gaps = [], faults = [], list = [];
	const sync = new Sync({
		request: server.request, store, missed_max, conversations: new Conversations(it => list.push(it)),
		show: it => shown.push(it.type === 'message' ? it.seq : `${it.type} ${it.revision}`),
		gap: it => gaps.push(it), fault: error => faults.push(error),
	});
	if (stored !== undefined) {
		await store.set('cursor', 'B');
		await store.set('conversation/17', { conversation: server.conversation, ...stored });
	}
	await sync.load();
	const resume = async () => {
		const done = sync.resume();
		await pass(t.mock.timers, 1000);
		return done;
	};
	return { sync, server, store, shown, gaps, faults, list, resume, timers: t.mock.timers };
}

test('a client without a past shows what comes from now on', async t => {
	const { sync, shown, resume } = await begin(t, { server: new Server().has(1, 2, 3) });
	assert.equal(await resume(), true);
	sync.entry(message(4));
	sync.entry(message(5));
	assert.deepEqual(shown, [4, 5]);
});

test('what arrives before /sync has answered is shown, with what lies between', async t => {
	const { sync, shown, resume } = await begin(t, { server: new Server().has(1, 2, 3, 4, 5) });
	sync.entry(message(3));
	await resume();
	assert.deepEqual(shown, [3, 4, 5]);
});

test('what was missed is shown, in order, page by page', async t => {
	const { shown, resume, server } = await begin(t, {
		server: new Server().has(1, 2, 3, 4, 5, 6, 7, 8), stored: { seq: 1, revision: 0 },
	});
	await resume();
	assert.deepEqual(shown, [2, 3, 4, 5, 6, 7, 8]);
	assert.ok(server.asked.includes('/sync?since=B'));
});

test('what arrives while the missed is fetched waits for it, and is shown once', async t => {
	const { sync, shown, resume, server, timers } = await begin(t, {
		server: new Server().has(1, 2, 3, 4, 5, 6, 7), stored: { seq: 1, revision: 0 },
	});
	const done = sync.resume();
	sync.entry(message(8));
	server.entries.push(message(8));
	sync.entry(message(7));
	await pass(timers, 1000);
	await done;
	assert.deepEqual(shown, [2, 3, 4, 5, 6, 7, 8]);
});

test('a gap on the socket is fetched after a moment, unless it closes', async t => {
	const { sync, shown, resume, server, timers } = await begin(t, { server: new Server().has(1) });
	await resume();
	sync.entry(message(3));
	await pass(timers, 100);
	sync.entry(message(2));
	await pass(timers, 1000);
	assert.deepEqual(shown, [2, 3]);
	const asked = server.asked.length;
	server.has(1, 2, 3, 4, 5);
	sync.entry(message(5));
	await pass(timers, 1000);
	assert.deepEqual(shown, [2, 3, 4, 5]);
	assert.deepEqual(server.asked.slice(asked), ['/conversations/17/messages?limit=200&after=3']);
});

test('what the history does not have is not waited for', async t => {
	const { sync, shown, resume, server, timers } = await begin(t, { server: new Server().has(1, 2) });
	await resume();
	server.has(1, 2, 5, 6, 9);
	sync.entry(message(9));
	await pass(timers, 1000);
	assert.deepEqual(shown, [5, 6, 9]);
	sync.entry(message(10));
	assert.deepEqual(shown, [5, 6, 9, 10]);
});

test('an own message fills its place', async t => {
	const { sync, shown, resume } = await begin(t, { server: new Server().has(1) });
	await resume();
	sync.entry(message(3));
	sync.entry(message(2), false);
	assert.deepEqual(shown, [3]);
});

/* kind, read_seq: a conversation that is new to this client -> what is shown when 5 arrives */
for (const [kind, read_seq, expected] of [['direct', 0, [1, 2, 3, 4, 5]], ['group', 3, [4, 5]], ['channel', 5, [5]]])
	test(`a new ${kind} of which ${read_seq} are read begins with ${expected[0]}`, async t => {
		const server = Object.assign(new Server(), { member: false });
		const { sync, shown, resume, timers } = await begin(t, { server });
		await resume();
		Object.assign(server.has(1, 2, 3, 4, 5), { member: true, kind, read_seq });
		sync.entry(message(5));
		await pass(timers, 1000);
		assert.deepEqual(shown, expected);
	});

test('what comes of a conversation that the user has left is shown as it is', async t => {
	const server = Object.assign(new Server(), { member: false });
	const { sync, shown, resume, timers } = await begin(t, { server });
	await resume();
	sync.entry(message(5));
	await pass(timers, 1000);
	assert.deepEqual(shown, [5]);
});

test('a conversation that has gone is forgotten, also in the store', async t => {
	const { sync, server, store, list, resume } = await begin(t, { server: new Server().has(1), stored: { seq: 1, revision: 0 } });
	server.member = false;
	await resume();
	assert.deepEqual(list.at(-1), { id: 17, gone: true });
	assert.deepEqual(await store.list('conversation/'), []);
	sync.forget(17);
});

test('edits are shown in the order of revisions, each once', async t => {
	const { sync, shown, resume, server, timers } = await begin(t, { server: new Server().has(1) });
	await resume();
	for (const revision of [1, 1, 3, 2, 3])
		sync.change(edit(revision));
	assert.deepEqual(shown, ['edit 1', 'edit 2', 'edit 3']);
	server.changed = [{ ...message(1), revision: 5 }];
	sync.change(edit(6));
	await pass(timers, 1000);
	assert.deepEqual(shown.slice(3), ['revised 5', 'edit 6']);
});

test('the latest state is shown also if the last change of it is an own one, or was held', async t => {
	for (const shows of [false, true]) {
		const { sync, shown, resume, server, timers } = await begin(t, { server: new Server().has(1) });
		await resume();
		server.changed = [{ ...message(1), revision: 2 }];
		sync.change(edit(2), shows);
		await pass(timers, 1000);
		assert.deepEqual(shown, ['revised 2']);
		t.mock.timers.reset();
	}
});

test('changes that were missed are shown as the messages in their latest state', async t => {
	const server = new Server().has(1, 2, 3, 4, 5);
	server.changed = [1, 2, 3, 4].map(n => ({ ...message(n), revision: n + 10 }));
	const { shown, resume } = await begin(t, { server, stored: { seq: 5, revision: 9 } });
	await resume();
	assert.deepEqual(shown, ['revised 11', 'revised 12', 'revised 13', 'revised 14']);
});

test('after a restart what was shown is not shown again', async t => {
	const server = new Server().has(1, 2);
	const one = await begin(t, { server });
	await one.resume();
	one.sync.entry(message(3));
	await one.sync.save();
	server.has(1, 2, 3, 4);
	t.mock.timers.reset();
	const two = await begin(t, { server, store: one.store });
	await two.resume();
	assert.deepEqual(two.shown, [4]);
});

test('the cursor is stored behind the conversations that it covers', async t => {
	const store = new MemoryStore(), keys = [];
	const set = store.set.bind(store);
	store.set = (key, value) => (keys.push(key), set(key, value));
	const { resume } = await begin(t, { server: new Server().has(1), store });
	await resume();
	assert.deepEqual(keys, ['conversation/17', 'cursor']);
});

test('a failing REST is asked again, and nothing is left out', async t => {
	const later = () => new ParleyError('unavailable', '', { status: 503, retryable: true });
	const server = new Server().has(1, 2, 3, 4, 5, 6, 7);
	server.failures = [later(), later(), null, later(), later(), null, later()];
	const { shown, resume, timers } = await begin(t, { server, stored: { seq: 1, revision: 0 } });
	await resume();
	await pass(timers, 10000);
	assert.deepEqual(shown, [2, 3, 4, 5, 6, 7]);
});

test('a cursor that the server does not take is given up', async t => {
	const server = new Server().has(1, 2);
	server.failures = [new ParleyError('invalid', '', { status: 422 })];
	const { shown, resume } = await begin(t, { server, stored: { seq: 1, revision: 0 } });
	await resume();
	assert.deepEqual(server.asked.slice(0, 2), ['/sync?since=B', '/sync']);
	assert.deepEqual(shown, [2]);
});

test('a connection that goes while /sync is asked ends the resume; the next one does it', async t => {
	const server = new Server().has(1, 2, 3);
	const { sync, shown, resume, timers } = await begin(t, { server, stored: { seq: 1, revision: 0 } });
	const first = sync.resume();
	sync.stop();
	assert.equal(await first, false);
	await pass(timers, 5000);
	assert.deepEqual(shown, []);
	await resume();
	assert.deepEqual(shown, [2, 3]);
});

test('a connection that goes while the missed is fetched: the next one goes on', async t => {
	const server = new Server().has(1, 2, 3, 4, 5, 6, 7, 8, 9);
	const { sync, shown, resume, timers } = await begin(t, { server, stored: { seq: 1, revision: 0 } });
	await sync.resume();
	timers.tick(1);
	sync.stop();
	await settle();
	await resume();
	assert.deepEqual(shown, [2, 3, 4, 5, 6, 7, 8, 9]);
});

test('more news than the bound: a gap is told, and it goes on behind', async t => {
	const server = new Server().has(...Array.from({ length: 50 }, (_, n) => n + 1));
	const { sync, shown, gaps, resume } = await begin(t, { server, stored: { seq: 1, revision: 0 }, missed_max: 10 });
	await resume();
	assert.deepEqual(gaps, [{ conversation: 17, after: 1, before: 51 }]);
	sync.entry(message(51));
	assert.deepEqual(shown, [51]);
});

const BOUNDS = [
	['entries', (sync, n) => sync.entry(message(n)), n => n, { conversation: 17, after: 1, before: 3 }],
	['changes', (sync, n) => sync.change(edit(n)), n => `edit ${n}`, { conversation: 17, after: 0, before: 2 }],
];
for (const [what, comes, as, gap] of BOUNDS)
	test(`while the history cannot be asked, the ${what} that are held have a bound`, async t => {
		const server = new Server().has(1);
		server.changed = [{ ...message(1), revision: 1 }];
		const { sync, shown, gaps, resume, timers } = await begin(t, { server, missed_max: 10 });
		await resume();
		server.failures = Array.from({ length: 1000 }, () => new ParleyError('unavailable', '', { retryable: true }));
		for (let number = 3; number <= 20; number++) {
			comes(sync, number);
			await pass(timers, 300);
		}
		assert.deepEqual(gaps, [gap]);
		assert.deepEqual(shown, Array.from({ length: 18 }, (_, n) => as(n + 3)));
		sync.stop();
	});
