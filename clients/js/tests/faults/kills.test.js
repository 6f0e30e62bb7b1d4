/*
 * Gateway, persistence and identity are killed while people chat: in a direct conversation and a
 * group, with edits and reactions. Nothing is lost, shown twice or out of order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger, Mirror, whole_history } from '../support/ledger.js';
import { is_ready, kill, next, register, sleep, until } from '../support/stack.js';

const KINDS = [
	['the gateway', ['websocket-service']],
	['persistence', ['persistence-service']],
	['gateway and persistence together', ['websocket-service', 'persistence-service']],
	['identity', ['identity-service']],
	['all three, one after the other', ['identity-service', 'persistence-service', 'websocket-service']],
];
const ROUNDS = 3;
const EMOJI = ['👍', '🎉', 'ok'];

test('people chat while services are killed', { timeout: 300000 }, async t => {
	const ledger = new Ledger(), people = [], mirrors = [];
	for (const name of ['alice', 'bob', 'carla']) {
		const client = await register(t);
		ledger.observe(name, client);
		mirrors.push(new Mirror(client));
		people.push(client);
	}
	const [alice, bob, carla] = people;
	const { conversation: direct } = await ledger.write(alice, { to: bob.user.id }).saved;
	const group = await alice.request('POST', '/conversations',
		{ kind: 'group', name: 'kills', users: [bob.user.id, carla.user.id] });
	const rooms = [[direct, [alice, bob]], [group.id, people]];

	let on = true;
	const changes = [];
	const writes = async (client, conversation) => {
		for (let n = 0; on; n++) {
			const sent = ledger.write(client, { conversation });
			if (n % 3 === 0)
				sent.saved.then(({ seq }) => {
					if (n % 2)
						ledger.rewrite(sent.uuid, `edited ${sent.uuid}`);
					changes.push(n % 2
						? client.edit({ conversation, seq, text: `edited ${sent.uuid}` })
						: client.react({ conversation, seq, reaction: EMOJI[n % EMOJI.length] }));
				}, () => {});
			await sleep(60);
		}
	};
	const writers = rooms.flatMap(([conversation, members]) => members.map(it => writes(it, conversation)));

	for (let round = 0; round < ROUNDS; round++)
		for (const [name, programs] of KINDS)
			await t.test(`${name}, round ${round + 1}`, async () => {
				await sleep(300);
				await Promise.all(programs.map(kill));
				await until('the services are ready', is_ready);
				await until('all are connected', () => people.every(it => it.status === 'connected'));
			});

	on = false;
	await Promise.all(writers);
	await until('all is settled', () => ledger.all_settled);
	await Promise.all(changes.map(({ saved }) => saved));

	/* Behind the last words everything has been shown; behind the last change, every change. */
	for (const [conversation, members] of rooms)
		for (const author of members) {
			const heard = members.filter(it => it !== author)
				.map(it => next(it, 'message', frame => frame.message === 'end'));
			const changed = members.filter(it => it !== author)
				.map(it => next(it, 'reaction', frame => frame.reaction === 'end' && frame.user_from === author.user.id));
			const sent = author.send({ conversation, text: 'end' });
			ledger.note(author.user.id, Infinity, 'end', sent);
			const { seq } = await sent.saved;
			await Promise.all(heard);
			await author.react({ conversation, seq, reaction: 'end' }).saved;
			await Promise.all(changed);
		}

	const histories = new Map();
	for (const [conversation, [first]] of rooms)
		histories.set(conversation, await whole_history(first, conversation));
	const entries = [...histories.values()].flat();
	t.diagnostic(`${entries.length} entries, ${changes.length} changes`);
	assert.ok(entries.length > 200, `only ${entries.length} entries`);
	const of_carla = new Map([[group.id, histories.get(group.id)]]);
	assert.deepEqual(ledger.judge(histories).filter(it => !it.startsWith(`carla never saw ${direct}/`)), []);
	for (const [at, mirror] of mirrors.entries())
		for (const history of (people[at] === carla ? of_carla : histories).values())
			assert.deepEqual(mirror.differences(history), []);
	for (const it of people)
		assert.deepEqual(it.outbox(), []);
});
