/** The window of a conversation, before a server that is an array. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { DROPPED_AT_ONCE, apply, ENTRIES_MAX, Timeline } from "../store/timeline.js";

const ME = 1;
const entry = (seq, more = {}) => ({ type: "message", id: seq, conversation: 17, seq, user_from: 2, uuid: `u${seq}`,
	message: `text ${seq}`, created_at: "2026-11-21T10:00:00.000Z", ...more });

/** A client whose server has `count` entries. `waiting` is its outbox; `calls` are the pages asked for. */
function server(count) {
	const entries = Array.from({ length: count }, (_, at) => entry(at + 1));
	const it = {
		entries, waiting: [], calls: [], fails: null, user: { id: ME }, members: [],
		outbox: () => it.waiting,
		async history(id, { before, after, limit }) {
			it.calls.push({ before, after, limit });
			if (it.fails) {
				throw it.fails;
			}
			if (after !== undefined) {
				const page = it.entries.filter(({ seq }) => seq > after);
				return { messages: page.slice(0, limit), next: page.length > limit ? page[limit - 1].seq : null };
			}
			const page = it.entries.filter(({ seq }) => before === undefined || seq < before);
			return { messages: page.slice(-limit), next: page.length > limit ? page.at(-limit).seq : null };
		},
		request: async () => ({ members: it.members, next: null }),
	};
	return it;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const begin = (client, options = {}) =>
	new Timeline({ key: "conversation/17", id: 17, client, changed() {}, failed: (error) => client.refusals?.push(error), ...options });

async function opened(client, conversation = {}) {
	const timeline = begin(client);
	timeline.open({ unread: 0, read_seq: client.entries.length, ...conversation });
	await settled();
	return timeline;
}

/** No hole, no double, ascending. */
function assertWhole({ entries }) {
	entries.forEach(({ seq }, at) => assert.equal(seq, entries[0].seq + at));
	assert.ok(entries.length <= ENTRIES_MAX);
}

describe("where a conversation opens", () => {
	for (const [name, count, unread, first, last, line] of [
		["nothing in it", 0, 0, undefined, undefined, null],
		["all read", 1000, 0, 951, 1000, null],
		["a little unread", 1000, 10, 951, 1000, 990],
		["much unread", 1000, 400, 551, 650, 600],
		["all unread", 40, 40, 1, 40, 0],
		["all of much unread", 400, 400, 1, 50, 0],
	]) {
		test(name, async () => {
			const timeline = await opened(server(count), { unread, read_seq: count - unread });
			assert.deepEqual([timeline.first?.seq, timeline.last?.seq, timeline.unreadAfter], [first, last, line]);
			assert.equal(timeline.atEnd, (last ?? 0) === count);
			assertWhole(timeline);
		});
	}
});

test("to the first entry and back to the last, without a hole", async () => {
	const timeline = await opened(server(1234));
	timeline.following = false;
	while (!timeline.atStart) {
		await timeline.loadOlder();
		assertWhole(timeline);
	}
	assert.equal(timeline.first.seq, 1);
	assert.equal(timeline.atEnd, false);
	while (!timeline.atEnd) {
		await timeline.loadNewer();
		assertWhole(timeline);
	}
	assert.equal(timeline.last.seq, 1234);
});

describe("what arrives", () => {
	test("at the end: it is appended, and the oldest go", async () => {
		const client = server(1000);
		const timeline = await opened(client);
		for (let seq = 1001; seq <= 1000 + ENTRIES_MAX; seq++) {
			timeline.entry(entry(seq));
			assertWhole(timeline);
			assert.equal(timeline.last.seq, seq);
			assert.ok(timeline.entries.length >= Math.min(seq - 950, ENTRIES_MAX - DROPPED_AT_ONCE));
		}
	});
	test("while older entries are read: what is shown stays", async () => {
		const client = server(1000);
		const timeline = await opened(client);
		timeline.following = false;
		while (timeline.entries.length < ENTRIES_MAX) {
			await timeline.loadOlder();
		}
		const { first } = timeline;
		for (let seq = 1001; seq <= 1010; seq++) {
			client.entries.push(entry(seq));
			timeline.entry(entry(seq));
		}
		assert.equal(timeline.first, first);
		assert.equal(timeline.atEnd, false);
		timeline.jumpToEnd();
		await settled();
		assert.equal(timeline.last.seq, 1010);
	});
	test("during the first page: it has its place behind it", async () => {
		const client = server(100);
		const timeline = begin(client);
		timeline.open({ unread: 0, read_seq: 100 });
		timeline.entry(entry(101));
		timeline.entry(entry(102));
		await settled();
		assert.equal(timeline.last.seq, 102);
		assertWhole(timeline);
	});
	test("twice, or again later: it is there once", async () => {
		const timeline = await opened(server(100));
		[101, 101, 100, 51, 1].forEach((seq) => timeline.entry(entry(seq)));
		assert.equal(timeline.entries.length, 51);
		assertWhole(timeline);
	});
	test("before its predecessors: it is shown, and they get their places", async () => {
		const client = server(100);
		const timeline = await opened(client);
		timeline.entry(entry(103));
		assert.deepEqual([timeline.last.seq, timeline.all.at(-1).seq], [100, 103]);
		timeline.entry(entry(101));
		timeline.entry(entry(102));
		assert.equal(timeline.last.seq, 103);
		assert.equal(timeline.all, timeline.entries);
		assertWhole(timeline);
	});
	test("after a gap that nobody fills: what is missing is loaded, also many pages", async (context) => {
		context.mock.timers.enable({ apis: ["setTimeout"] });
		const client = server(100);
		const timeline = await opened(client);
		for (let seq = 101; seq <= 280; seq++) {
			client.entries.push(entry(seq));
		}
		timeline.entry(entry(280));
		context.mock.timers.tick(60000);
		for (let turn = 0; turn < 10; turn++) {
			await settled();
		}
		assert.equal(timeline.last.seq, 280);
		assert.equal(timeline.all, timeline.entries);
		assertWhole(timeline);
	});
	test("unseen: the unread line is above it, and stays", async () => {
		const timeline = await opened(server(100));
		timeline.entry(entry(101), true);
		assert.equal(timeline.unreadAfter, null);
		timeline.entry(entry(102), false);
		timeline.entry(entry(103), false);
		assert.equal(timeline.unreadAfter, 101);
	});
});

test("a load that fails says so, and goes on after the next try", async () => {
	const client = server(100);
	client.fails = Object.assign(new Error("no network"), { retryable: true });
	const timeline = await opened(client);
	assert.equal(timeline.error, client.fails);
	assert.equal(timeline.loading, null);
	client.fails = null;
	timeline.reload();
	await settled();
	assert.equal(timeline.error, null);
	assert.equal(timeline.last.seq, 100);
});

describe("own messages", () => {
	const waiting = (uuid, more = {}) => ({ uuid, state: "waiting", frame: { uuid, message: `mine ${uuid}`, conversation: 17, ...more } });
	test("wait behind all, and become entries when they are saved", async () => {
		const client = server(100);
		client.waiting = [waiting("a"), waiting("b", { reply_to: 3 }), { ...waiting("c"), frame: { message: "elsewhere", conversation: 18 } }];
		const timeline = await opened(client);
		assert.deepEqual([...timeline.pending.keys()], ["a", "b"]);
		timeline.state({ uuid: "a", state: "accepted" });
		assert.equal(timeline.pending.size, 2);
		timeline.state({ uuid: "a", state: "saved", conversation: 17, seq: 101, id: 7, created_at: "2026-11-21T10:00:00.000Z" });
		timeline.state({ uuid: "b", state: "saved", conversation: 17, seq: 102, id: 8, created_at: "2026-11-21T10:00:00.000Z" });
		assert.equal(timeline.pending.size, 0);
		assert.deepEqual(timeline.entries.slice(-2).map(({ seq, user_from, message, reply_to }) => [seq, user_from, message, reply_to]),
			[[101, ME, "mine a", undefined], [102, ME, "mine b", 3]]);
	});
	test("to a user with whom there is no conversation yet", async () => {
		const client = server(0);
		client.waiting = [{ uuid: "a", state: "waiting", frame: { message: "hi", user_to: 5 } }];
		const timeline = begin(client, { key: "user/5", id: null, user: 5 });
		timeline.open(undefined);
		assert.deepEqual([...timeline.pending.keys()], ["a"]);
		client.entries.push(entry(1, { user_from: ME, uuid: "a" }));
		timeline.state({ uuid: "a", state: "saved", conversation: 17, seq: 1, id: 7, created_at: "2026-11-21T10:00:00.000Z" });
		client.waiting = [];
		timeline.bind(17);
		await settled();
		assert.deepEqual(timeline.entries.map(({ seq }) => seq), [1]);
		assert.equal(timeline.pending.size, 0);
	});
	test("a refused one stays as failed; a refused change goes, and is told", async () => {
		const client = server(100);
		client.refusals = [];
		client.waiting = [waiting("a"), { uuid: "e", state: "waiting", frame: { uuid: "e", type: "edit", conversation: 17, seq: 100, message: "new" } }];
		const timeline = await opened(client);
		assert.equal(timeline.shown(timeline.last).message, "new");
		client.waiting[0] = { ...client.waiting[0], state: "failed", error: { code: "unknown_user" } };
		timeline.state({ uuid: "a", state: "error", code: "unknown_user" });
		client.waiting.pop();
		timeline.state({ uuid: "e", state: "error", code: "not_allowed" });
		assert.equal(timeline.pending.get("a").state, "failed");
		assert.equal(timeline.shown(timeline.last).message, "text 100");
		assert.deepEqual(client.refusals.map(({ code }) => code), ["not_allowed"]);
	});
});

describe("changes of a message", () => {
	const base = entry(5, { reactions: [{ reaction: "👍", users: [2, 3], count: 2 }] });
	const react = (user_from, reaction, remove = false) => ({ type: "reaction", seq: 5, user_from, reaction, remove });
	for (const [name, changes, wanted] of [
		["edited", [{ type: "edit", seq: 5, message: "new", created_at: "t" }], { message: "new", edited_at: "t" }],
		["deleted: text and reactions go", [{ type: "delete", seq: 5, created_at: "t" }], { message: "", deleted_at: "t", reactions: [] }],
		["an edit after the deletion", [{ type: "delete", seq: 5, created_at: "t" }, { type: "edit", seq: 5, message: "x" }], { message: "" }],
		["a first reaction", [react(ME, "🎉")], { reactions: [...base.reactions, { reaction: "🎉", users: [ME], count: 1 }] }],
		["one more of the same", [react(ME, "👍")], { reactions: [{ reaction: "👍", users: [2, 3, ME], count: 3 }] }],
		["the same again", [react(2, "👍")], { reactions: base.reactions }],
		["one less", [react(2, "👍", true)], { reactions: [{ reaction: "👍", users: [3], count: 1 }] }],
		["the last one goes", [react(2, "👍", true), react(3, "👍", true)], { reactions: [] }],
		["removed where there is none", [react(9, "👍", true), react(2, "🎉", true)], { reactions: base.reactions }],
		["the latest state", [{ ...base, type: "revised", revision: 9, message: "latest" }], { type: "message", message: "latest" }],
	]) {
		test(name, () => {
			const changed = changes.reduce(apply, base);
			for (const [member, value] of Object.entries(wanted)) {
				assert.deepEqual(changed[member], value);
			}
			assert.deepEqual(base.reactions, [{ reaction: "👍", users: [2, 3], count: 2 }]);
		});
	}
	test("an older change than the entry has changes nothing", async () => {
		const timeline = await opened(server(10));
		timeline.change({ type: "edit", seq: 5, revision: 7, message: "seventh", created_at: "t" });
		timeline.change({ type: "edit", seq: 5, revision: 6, message: "sixth", created_at: "t" });
		assert.equal(timeline.entries[4].message, "seventh");
	});
	test("an own change that is known first hides no earlier one of others, nor the latest state of both", async () => {
		const edit = { type: "edit", seq: 5, revision: 7, message: "seventh", created_at: "t" };
		const reactions = [{ reaction: "👍", users: [2], count: 1 }];
		for (const [revision, other] of [[6, { type: "reaction", user_from: 2, reaction: "👍", remove: false }],
			[6, { type: "revised", message: "before", reactions }], [7, { type: "revised", message: "seventh", reactions }]]) {
			const timeline = await opened(server(10));
			timeline.change(edit);
			timeline.change({ ...other, seq: 5, revision });
			assert.equal(timeline.entries[4].message, "seventh");
			assert.deepEqual(timeline.entries[4].reactions, reactions);
		}
	});
});

test("who types again after a message is seen typing for the whole time", async (context) => {
	const timeline = await opened(server(10));
	context.mock.timers.enable({ apis: ["setTimeout"] });
	timeline.typed(2);
	context.mock.timers.tick(5000);
	timeline.entry(entry(11));
	assert.deepEqual([...timeline.typing.keys()], []);
	timeline.typed(2);
	context.mock.timers.tick(5000);
	assert.deepEqual([...timeline.typing.keys()], [2]);
	context.mock.timers.tick(1000);
	assert.deepEqual([...timeline.typing.keys()], []);
});

test("who has read: the others only, and never less than before", async () => {
	const client = server(10);
	client.members = [{ user: ME, read_seq: 10 }, { user: 2, read_seq: 4 }, { user: 3, read_seq: 9 }];
	const timeline = await opened(client);
	await settled();
	const counts = () => [4, 5, 9, 10].map((seq) => timeline.readBy(seq).count);
	assert.deepEqual([timeline.readBy(1).of, ...counts()], [2, 2, 1, 1, 0]);
	timeline.receipt({ user: 2, read: 10 });
	timeline.receipt({ user: 2, read: 3 });
	timeline.receipt({ user: 99, read: 10 });
	assert.deepEqual(counts(), [2, 2, 2, 1]);
	await timeline.loadMembers();
	assert.deepEqual(counts(), [2, 2, 2, 1]);
});
