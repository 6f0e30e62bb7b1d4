/*
 * stack - the running Parley that tests/blackbox/support/with_stack.py keeps up: its address, its
 * programs, and users for the tests.
 *
 * Waits have a bound (HANG_MS) only so that a hang ends.
 */
import { readFile, readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '../../src/index.js';

export const HANG_MS = 90000;
export const url = process.env.PARLEY_URL;
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const run_dir = `${root}.run-test-${(process.env.PARLEY_TEST_STACK || '').split(' ')[0]}`;

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/* The first value of `condition` that is not falsy. */
export async function until(what, condition, bound_ms = HANG_MS) {
	for (const began = Date.now(); Date.now() - began < bound_ms; await sleep(20)) {
		const value = await condition();
		if (value)
			return value;
	}
	throw new Error(`it did not come to this: ${what}`);
}

/* The next event of this name for which `fits` is true. */
export function next(client, event, fits = () => true) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => {
			off();
			reject(new Error(`no event ${event} came`));
		}, HANG_MS);
		const off = client.on(event, value => {
			if (!fits(value))
				return;
			clearTimeout(timer);
			off();
			resolve(value);
		});
	});
}

/* --- users ----------------------------------------------------------------------------- */
export const password = 'correct horse 1';
let users = 0;

export const new_name = () => `sdk-${process.pid}-${Date.now().toString(36)}-${users++}`;

/* A client of a new user. It is closed when the test `t` ends. */
export async function register(t, { connect = true, Class = Client, ...options } = {}) {
	const client = new Class({ url, ...options });
	t.after(() => client.close());
	await client.register(new_name(), password);
	if (connect)
		await client.connect();
	return client;
}

/* Another device of the same user. */
export async function device(t, client, { connect = true, ...options } = {}) {
	const other = new Client({ url, ...options });
	t.after(() => other.close());
	await other.login(client.user.name, password);
	if (connect)
		await other.connect();
	return other;
}

/* --- programs ---------------------------------------------------------------------------- */
export async function pid(program) {
	const id = Number(await readFile(`${run_dir}/pid/${program}.pid`, 'utf8'));
	const folder = await readlink(`/proc/${id}/cwd`);
	if (!folder.startsWith(`${run_dir}/data/${program}`))
		throw new Error(`${program} is not running`);
	return id;
}

/* SIGKILL; resolves when the supervisor has started the program again. */
export async function kill(program) {
	const killed = await pid(program);
	process.kill(killed, 'SIGKILL');
	await until(`${program} is started again`, async () => {
		const now = await pid(program).catch(() => killed);
		return now !== killed;
	});
}

export const is_ready = async () => {
	const answer = await fetch(`${url}/readyz`).catch(() => null);
	await answer?.arrayBuffer();
	return answer?.status === 200;
};
