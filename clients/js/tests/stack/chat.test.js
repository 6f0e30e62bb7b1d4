/* What the contract names, between people on a running Parley. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, MemoryStore, uuid7 } from '../../src/index.js';
import { device, next, new_name, password, register, until, url } from '../support/stack.js';

test('register and login answer id and name; a wrong password is an error', async t => {
	const name = new_name(), client = new Client({ url });
	t.after(() => client.close());
	const registered = await client.register({ name, password });
	assert.deepEqual(registered, { id: registered.id, name });
	assert.deepEqual(client.user, registered);
	assert.deepEqual(await new Client({ url }).login(name, password), registered);
	await assert.rejects(new Client({ url }).login(name, 'wrong horse 1'),
		{ name: 'ParleyError', status: 401, code: 'unauthorized', retryable: false });
	await assert.rejects(new Client({ url }).register(name, password), { status: 409, code: 'conflict' });
});

test('two people chat: message, reply, edit, reaction, deletion', async t => {
	const [alice, bob] = [await register(t), await register(t)];
	assert.equal(alice.status, 'connected');
	const heard = next(bob, 'message');
	const { uuid, saved } = alice.send({ to: bob.user.id, text: 'hi' });
	const { conversation, seq } = await saved;
	const message = await heard;
	assert.deepEqual([message.uuid, message.message, message.user_from, message.conversation, message.seq],
		[uuid, 'hi', alice.user.id, conversation, seq]);

	const answer = next(alice, 'message');
	await bob.send({ conversation, text: 'hello', replyTo: seq }).saved;
	assert.deepEqual([(await answer).message, (await answer).reply_to], ['hello', seq]);

	const changes = ['edit', 'reaction', 'delete'].map(event => next(bob, event));
	await alice.edit({ conversation, seq, text: 'hi!' }).saved;
	await alice.react({ conversation, seq, reaction: '👍' }).saved;
	const { revision } = await alice.delete({ conversation, seq }).saved;
	const [edit, reaction, deletion] = await Promise.all(changes);
	assert.deepEqual([edit.message, reaction.reaction, deletion.revision], ['hi!', '👍', revision]);

	const { messages, next: more } = await bob.history(conversation);
	assert.deepEqual([messages.map(it => it.message), more], [['', 'hello'], null]);
});

test('typing, presence and receipts', async t => {
	const [alice, bob] = [await register(t), await register(t)];
	const { conversation, seq } = await alice.send({ to: bob.user.id, text: 'hi' }).saved;
	const typing = next(bob, 'typing'), online = next(bob, 'presence');
	const read = next(alice, 'receipt', it => it.user === bob.user.id && it.read === seq);
	alice.typing(conversation);
	bob.presence([alice.user.id]);
	bob.read(conversation, seq);
	assert.deepEqual(await typing, { type: 'typing', conversation, user: alice.user.id });
	assert.deepEqual((await online).users, [{ user: alice.user.id, state: 'online' }]);
	await read;
	const offline = next(bob, 'presence', it => it.users[0].state === 'offline');
	await alice.close();
	await offline;
});

test('what was received is reported without a call', async t => {
	const [alice, bob] = [await register(t), await register(t)];
	const delivered = next(alice, 'receipt', it => it.user === bob.user.id && it.delivered === 1);
	await alice.send({ to: bob.user.id, text: 'hi' }).saved;
	assert.equal((await delivered).read, 0);
});

test('the list of conversations stays true', async t => {
	const [alice, bob] = [await register(t), await register(t)];
	const { conversation } = await alice.send({ to: bob.user.id, text: 'one' }).saved;
	await alice.send({ to: bob.user.id, text: 'two' }).saved;
	const of = async client => (await client.conversations()).find(({ id }) => id === conversation);
	await until('bob has two unread', async () => (await of(bob))?.unread === 2);
	assert.equal((await of(bob)).last_message.message, 'two');
	const { last_message, ...mine } = await of(alice);
	assert.deepEqual([mine.last_seq, mine.unread, last_message.message], [2, 0, 'two']);
	assert.deepEqual(await alice.request('GET', `/conversations/${conversation}`), { ...mine, last_message });
	bob.read({ conversation, seq: 2 });
	assert.equal((await of(bob)).unread, 0);

	const group = await alice.request('POST', '/conversations',
		{ kind: 'group', name: 'g', users: [bob.user.id] });
	await until('bob has the group', async () => (await bob.conversations())[0].id === group.id);
	await alice.request('PATCH', `/conversations/${group.id}`, { name: 'h' });
	await until('bob has its new name', async () => (await bob.conversations())[0].name === 'h');
	await alice.request('DELETE', `/conversations/${group.id}/members/${bob.user.id}`);
	await until('bob has left', async () => (await bob.conversations()).every(it => it.id !== group.id));
	const fresh = await device(t, alice, { connect: false });
	assert.deepEqual((await fresh.conversations()).map(({ id }) => id), [group.id, conversation]);
});

test('history: the newest page, then before and after', async t => {
	const alice = await register(t);
	let conversation;
	for (let n = 1; n <= 7; n++)
		({ conversation } = await alice.send({ to: alice.user.id, text: `${n}` }).saved);
	const texts = async page => {
		const { messages, next } = await alice.history(conversation, page);
		return [messages.map(it => it.message).join(''), next];
	};
	assert.deepEqual(await texts({ limit: 3 }), ['567', 5]);
	assert.deepEqual(await texts({ limit: 3, before: 5 }), ['234', 2]);
	assert.deepEqual(await texts({ limit: 3, before: 2 }), ['1', null]);
	assert.deepEqual(await texts({ limit: 3, after: 0 }), ['123', 3]);
	assert.deepEqual(await texts(), ['1234567', null]);
});

test('refusals: of the SDK at once, of the server by its code', async t => {
	const alice = await register(t);
	await assert.rejects(alice.send({ to: alice.user.id, text: 'x'.repeat(16385) }).saved,
		{ code: 'message_too_long', retryable: false });
	const { uuid, saved } = alice.send({ to: 2 ** 52, text: 'hi' });
	await assert.rejects(saved, { name: 'ParleyError', code: 'unknown_user', retryable: false, status: 0 });
	assert.deepEqual(alice.outbox().map(it => [it.uuid, it.state]), [[uuid, 'failed']]);
	alice.discard(uuid);
	assert.deepEqual(alice.outbox(), []);
	await assert.rejects(alice.react({ conversation: 2 ** 52, seq: 1, reaction: 'a' }).saved,
		{ code: 'unknown_conversation' });
	await assert.rejects(alice.history(2 ** 52), { status: 404, code: 'not_found' });
});

test('a uuid that the caller chooses is one message, however often it is sent', async t => {
	const alice = await register(t), uuid = uuid7();
	const first = await alice.send({ to: alice.user.id, text: 'once', uuid }).saved;
	const second = await alice.send({ to: alice.user.id, text: 'twice', uuid }).saved;
	assert.deepEqual([second.id, second.seq], [first.id, first.seq]);
	assert.equal((await alice.history(first.conversation)).messages.length, 1);
});

test('two devices: each sees what the other writes, and not what it wrote itself', async t => {
	const one = await register(t), two = await device(t, one);
	const seen = { one: [], two: [] };
	one.on('message', it => seen.one.push(it.message));
	two.on('message', it => seen.two.push(it.message));
	await one.send({ to: one.user.id, text: 'a' }).saved;
	await two.send({ to: one.user.id, text: 'b' }).saved;
	await until('both have seen', () => seen.one.length && seen.two.length);
	assert.deepEqual(seen, { one: ['b'], two: ['a'] });
});

test('messages to one conversation keep their order, whichever way it is named', async t => {
	const [alice, bob] = [await register(t), await register(t)];
	const { conversation } = await alice.send({ to: bob.user.id, text: '0' }).saved;
	await Promise.all(Array.from({ length: 30 }, (_, n) =>
		alice.send({ ...(n % 2 ? { conversation } : { to: bob.user.id }), text: `${n + 1}` }).saved));
	const { messages } = await bob.history(conversation);
	assert.deepEqual(messages.map(it => Number(it.message)), Array.from({ length: 31 }, (_, n) => n));
});

test('what was written without a connection is sent once there is one', async t => {
	const alice = await register(t, { connect: false });
	const { saved } = alice.send({ to: alice.user.id, text: 'early' });
	assert.equal(alice.outbox().length, 1);
	await alice.connect();
	assert.equal((await saved).seq, 1);
	assert.deepEqual(alice.outbox(), []);
});

test('without a sign-in nothing is connected or sent', async () => {
	const nobody = new Client({ url });
	await assert.rejects(nobody.connect(), { code: 'signed_out', retryable: false });
	await assert.rejects(nobody.send({ to: 1, text: 'hi' }).saved, { code: 'signed_out' });
	await assert.rejects(nobody.conversations(), { code: 'signed_out' });
	assert.equal(await nobody.restore(), null);
	assert.equal(nobody.status, 'offline');
});

test('close and connect again: what came meanwhile is shown', async t => {
	const [alice, bob] = [await register(t), await register(t)];
	await alice.send({ to: bob.user.id, text: 'one' }).saved;
	await until('bob has it', async () => (await bob.conversations())[0]?.last_seq === 1);
	await bob.close();
	assert.equal(bob.status, 'offline');
	const seen = [];
	bob.on('message', it => seen.push(it.message));
	const { saved } = bob.send({ to: alice.user.id, text: 'from bob' });
	for (const text of ['two', 'three'])
		await alice.send({ to: bob.user.id, text }).saved;
	await bob.connect();
	await saved;
	await until('bob has all', () => seen.length === 2);
	assert.deepEqual(seen, ['two', 'three']);
});

test('a store outlives the client: session, outbox, and what was shown', async t => {
	const store = new MemoryStore(), alice = await register(t, { store }), bob = await register(t);
	await bob.send({ to: alice.user.id, text: 'one' }).saved;
	await until('alice has it', async () => (await alice.conversations())[0]?.last_seq === 1);
	await alice.close();
	const { saved } = alice.send({ to: bob.user.id, text: 'left behind' });
	await bob.send({ to: alice.user.id, text: 'two' }).saved;
	const heard = next(bob, 'message'), seen = [];

	const again = new Client({ url, store });
	t.after(() => again.close());
	again.on('message', it => seen.push(it.message));
	assert.deepEqual(await again.restore(), alice.user);
	assert.equal(again.outbox().length, 1);
	await again.connect();
	assert.equal((await heard).message, 'left behind');
	await until('it has seen the missed one', () => seen.length);
	assert.deepEqual(seen, ['two']);
	saved.catch(() => {});
});

test('a sign-in of the same user again disturbs nothing', async t => {
	const [alice, bob] = [await register(t), await register(t)], seen = [];
	bob.on('message', it => seen.push(it.message));
	await alice.send({ to: bob.user.id, text: 'one' }).saved;
	await bob.login(bob.user.name, password);
	await alice.send({ to: bob.user.id, text: 'two' }).saved;
	await until('bob has seen two', () => seen.includes('two'));
	assert.deepEqual([seen, bob.status], [['one', 'two'], 'connected']);
});

test('a host without WebSocket is told so', async t => {
	const alice = await register(t, { WebSocket: null, connect: false });
	await assert.rejects(alice.connect(), { code: 'bad_call', retryable: false });
});

/* Entries that are missed -> what is shown: several pages of them, or a gap and what comes next. */
for (const [missedMax, first, gaps] of [[undefined, 2, 0], [100, 451, 1]])
	test(`450 missed messages, missedMax ${missedMax}`, async t => {
		const [alice, bob] = [await register(t), await register(t, { missedMax })];
		const { conversation } = await alice.send({ to: bob.user.id, text: '1' }).saved;
		await until('bob has it', async () => (await bob.conversations())[0]?.last_seq === 1);
		await bob.close();
		const sent = Array.from({ length: 449 }, (_, n) => alice.send({ conversation, text: `${n + 2}` }));
		await Promise.all(sent.map(({ saved }) => saved));
		const seen = [], told = [];
		bob.on('message', ({ message }) => seen.push(Number(message)));
		bob.on('gap', it => told.push(it));
		await bob.connect();
		await until('the missed ones are dealt with', () => told.length || seen.length === 449);
		await alice.send({ conversation, text: '451' }).saved;
		await until('bob goes on', () => seen.at(-1) === 451);
		assert.deepEqual(seen, Array.from({ length: 452 - first }, (_, n) => n + first));
		assert.deepEqual(told, gaps ? [{ conversation, after: 1, before: 451 }] : []);
	});
