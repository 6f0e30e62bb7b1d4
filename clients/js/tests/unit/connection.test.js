import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../src/backoff.js';
import { Connection } from '../../src/connection.js';
import { ParleyError, signed_out } from '../../src/errors.js';
import { fake_sockets, pass, settle } from '../support/fakes.js';

async function begin(t, session = {}) {
	t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1e12 });
	const WebSocket = fake_sockets(), said = [], calls = [];
	let n = 1;
	const connection = new Connection({
		url: 'ws://x/ws', WebSocket, backoff: new Backoff({ random: () => 1 }),
		session: {
			token: async () => `token-${n}`,
			renew: async stale => (calls.push(`renew ${stale}`), `token-${++n}`),
			request: async (method, path) => void calls.push(`${method} ${path}`),
			renew_in_ms: () => 0,
			...session,
		},
		trying: () => said.push('trying'), welcome: () => said.push('welcome'),
		frame: frame => said.push(frame.type), closed: ({ code }) => said.push(`closed ${code}`),
		failed: error => said.push(`failed ${error.code}`), fault: error => said.push(error.message),
	});
	connection.start();
	await settle();
	const { timers } = t.mock;
	return { connection, sockets: WebSocket.made, said, calls, timers, pass: ms => pass(timers, ms) };
}

test('the token goes as the second subprotocol', async t => {
	const { sockets } = await begin(t);
	assert.deepEqual(sockets[0].protocols, ['parley', 'bearer.token-1']);
});

test('frames go out after welcome, not before, and not after the end', async t => {
	const { connection, sockets: [socket] } = await begin(t);
	assert.equal(connection.send({ type: 'typing' }), false);
	socket.welcomes();
	assert.equal(connection.send({ type: 'typing' }), true);
	socket.ends(1006);
	assert.equal(connection.send({ type: 'typing' }), false);
	assert.deepEqual(socket.sent, [{ type: 'typing' }]);
});

/* close code -> milliseconds until the next attempt (the random number is 1), and what is asked before */
const CLOSES = [
	[1001, 250, []], [1006, 250, []], [1011, 250, []], [1013, 250, []], [4408, 250, []],
	[4401, 250, ['renew token-1']], [4429, 5000, []],
];
for (const [code, wait, asked] of CLOSES)
	test(`after ${code} it connects again in ${wait} ms`, async t => {
		const { sockets, calls, pass } = await begin(t);
		sockets[0].welcomes();
		sockets[0].ends(code);
		await settle();
		await pass(wait - 1);
		assert.equal(sockets.length, 1);
		await pass(1);
		assert.equal(sockets.length, 2);
		assert.deepEqual(calls, asked);
	});

test('the waits grow while connections do not last, and begin anew when one has', async t => {
	const { sockets, pass } = await begin(t);
	for (const wait of [250, 500, 1000]) {
		sockets.at(-1).welcomes();
		sockets.at(-1).ends(1013);
		await settle();
		const before = sockets.length;
		await pass(wait - 1);
		assert.equal(sockets.length, before);
		await pass(1);
		assert.equal(sockets.length, before + 1);
	}
	sockets.at(-1).welcomes();
	await pass(11000);
	sockets.at(-1).ends(1001);
	await settle();
	await pass(250);
	assert.equal(sockets.length, 5);
});

test('a handshake that fails: REST tells whether the token is good', async t => {
	const { sockets, calls, pass } = await begin(t);
	sockets[0].ends(1006);
	await settle();
	await pass(250);
	assert.deepEqual(calls, ['GET /auth/status']);
	assert.equal(sockets.length, 2);
});

test('a session that has ended stops it', async t => {
	const { sockets, said, pass } = await begin(t, { renew: async () => { throw signed_out(); } });
	sockets[0].welcomes();
	sockets[0].ends(4401, 'session_ended');
	await settle();
	await pass(60000);
	assert.equal(sockets.length, 1);
	assert.equal(said.at(-1), 'failed signed_out');
});

test('without a token because of the network it tries again', async t => {
	let down = 3;
	const { sockets, said, pass } = await begin(t, { token: async () => {
		if (down-- > 0)
			throw new ParleyError('network', '', { retryable: true });
		return 'token-9';
	} });
	await pass(10000);
	assert.equal(sockets.length, 1);
	assert.ok(!said.includes('failed network'));
});

test('a fault of the store is told, and it tries again', async t => {
	let down = 1;
	const { sockets, said, pass } = await begin(t, { token: async () => {
		if (down-- > 0)
			throw new Error('of the store');
		return 'token-9';
	} });
	await pass(1000);
	assert.deepEqual([sockets.length, said[1]], [1, 'of the store']);
});

test('a socket that brings no welcome within 20 s is given up', async t => {
	const { sockets, pass } = await begin(t);
	await pass(20000);
	assert.equal(sockets[0].closed_with, 4000);
	await pass(1000);
	assert.equal(sockets.length, 2);
});

test('silence: after two ping intervals it asks, ten seconds later it gives up', async t => {
	const { sockets, said, pass } = await begin(t);
	sockets[0].welcomes(7);
	await pass(50000);
	assert.deepEqual(sockets[0].sent, []);
	await pass(5000);
	assert.deepEqual(sockets[0].sent, [{ type: 'presence', users: [7] }]);
	sockets[0].brings({ type: 'presence', users: [] });
	await pass(50000);
	assert.equal(sockets.length, 1);
	await pass(25000);
	assert.ok(said.includes('closed 4000'));
	assert.equal(sockets.length, 2);
});

test('traffic is not silence', async t => {
	const { sockets, pass } = await begin(t);
	sockets[0].welcomes();
	for (let minute = 0; minute < 10; minute++) {
		await pass(40000);
		sockets[0].brings({ type: 'message' });
	}
	assert.deepEqual([sockets.length, sockets[0].sent], [1, []]);
});

test('token: renews, and says so on the socket', async t => {
	const { sockets: [socket], calls, pass } = await begin(t);
	socket.welcomes();
	socket.brings({ type: 'token', expires_at: 'x' });
	await pass(1);
	assert.deepEqual(calls, ['renew token-1']);
	assert.deepEqual(socket.sent, [{ type: 'auth', token: 'token-2' }]);
	socket.brings({ type: 'auth', session: 's', expires_at: 'x' });
	socket.brings({ type: 'token', expires_at: 'x' });
	await pass(1);
	assert.deepEqual(calls, ['renew token-1', 'renew token-2']);
});

test('a short token is renewed when half of its life is over', async t => {
	const { sockets: [socket], calls, pass } = await begin(t, { renew_in_ms: () => 5000 });
	socket.welcomes();
	socket.brings({ type: 'token', expires_at: 'x' });
	await pass(4900);
	assert.deepEqual(calls, []);
	await pass(200);
	assert.deepEqual(calls, ['renew token-1']);
});

for (const code of ['unavailable', 'bad_token', 'too_fast'])
	test(`auth is answered with ${code}: it tries again`, async t => {
		const { sockets: [socket], pass } = await begin(t);
		socket.welcomes();
		socket.brings({ type: 'token', expires_at: 'x' });
		await pass(1);
		socket.brings({ type: 'error', code, retryable: true });
		await pass(5000);
		assert.deepEqual(socket.sent.map(({ token }) => token), ['token-2', 'token-3']);
	});

test('an error of another frame is no answer to auth', async t => {
	const { sockets: [socket], pass } = await begin(t);
	socket.welcomes();
	socket.brings({ type: 'token', expires_at: 'x' });
	await pass(1);
	socket.brings({ type: 'error', conversation: 17, code: 'unavailable', retryable: true });
	await pass(20000);
	assert.equal(socket.sent.length, 1);
});

test('stop closes, ends the waiting, and nothing happens afterwards', async t => {
	const { connection, sockets, said, pass } = await begin(t);
	sockets[0].welcomes();
	connection.stop();
	assert.equal(sockets[0].closed_with, 1000);
	await pass(60000);
	assert.deepEqual([sockets.length, said.at(-1)], [1, 'closed 1000']);
	connection.start();
	await settle();
	assert.equal(sockets.length, 2);
});

test('the network is back: it tries at once', async t => {
	const { connection, sockets } = await begin(t);
	sockets[0].welcomes();
	connection.lost();
	await settle();
	connection.nudge();
	await settle();
	assert.equal(sockets.length, 2);
});

test('a frame that is not JSON is passed over', async t => {
	const { sockets: [socket], said } = await begin(t);
	socket.welcomes();
	socket.onmessage({ data: 'not JSON' });
	socket.brings({ type: 'typing' });
	assert.deepEqual(said, ['trying', 'welcome', 'typing']);
});
