/* The chat of the README, run as it stands there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { new_name, password, until, url } from '../support/stack.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const [, code] = (await readFile(`${PACKAGE}README.md`, 'utf8')).match(/```js\n(.*?)```/s);

/* A folder of an application that has installed the package. */
const folder = await mkdtemp(`${tmpdir()}/parley-sdk-`);
after(() => rm(folder, { recursive: true }));
await mkdir(`${folder}/node_modules/@parley`, { recursive: true });
await symlink(PACKAGE, `${folder}/node_modules/@parley/client`);
await writeFile(`${folder}/chat.mjs`, code);

function chat(t, name, other) {
	const child = spawn(process.execPath, ['chat.mjs', name, password, other],
		{ cwd: folder, env: { ...process.env, PARLEY_URL: url } });
	t.after(() => child.kill());
	const it = { said: '', ended: new Promise(resolve => child.on('close', resolve)) };
	child.stdout.on('data', bytes => { it.said += bytes; });
	child.stderr.on('data', bytes => { it.said += bytes; });
	it.types = line => child.stdin.write(`${line}\n`);
	it.ends = () => child.stdin.end();
	it.says = what => until(`${name} says ${what}; it says:\n${it.said}`, () => it.said.includes(what));
	return it;
}

test('the chat has at most 20 lines', () =>
	assert.ok(code.split('\n').filter(line => line.trim()).length <= 20));

test('alice and bob chat, and both programs end', async t => {
	const [alice_name, bob_name] = [new_name(), new_name()];
	const bob = chat(t, bob_name, bob_name);
	await bob.says('[connected]');
	bob.ends();
	assert.equal(await bob.ended, 0, bob.said);

	const alice = chat(t, alice_name, bob_name);
	await alice.says('[connected]');
	const back = chat(t, bob_name, alice_name);
	await back.says('[connected]');
	alice.types('hello bob');
	await alice.says('[saved as 1]');
	await back.says(`${alice_name}: hello bob`);
	back.types('hello alice');
	await alice.says(`${bob_name}: hello alice`);
	for (const it of [alice, back]) {
		it.ends();
		assert.equal(await it.ended, 0, it.said);
	}
});
