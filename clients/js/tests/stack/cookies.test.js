/*
 * The refresh token in a cookie, in Chromium. No script can read the cookie, so the browser itself
 * is asked for it.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { serve } from '../support/browser.js';
import { HANG_MS, new_name, password, register, until, url } from '../support/stack.js';

const { chromium } = createRequire(`${process.env.TEST_PACKAGES}/`)('playwright-core');

/* A browser with one tab, in which `client` has the refresh token in a cookie. */
async function browse(t) {
	const { origin } = await serve(t, url);
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--no-sandbox', '--disable-dev-shm-usage'],
	});
	t.after(() => browser.close());
	const context = await browser.newContext({ baseURL: origin });
	context.setDefaultTimeout(HANG_MS);
	return { context, tab: await open(context), cookies: () => context.cookies(`${origin}/auth/refresh`) };
}

async function open(context) {
	const tab = await context.newPage();
	await tab.goto('/page/empty.html');
	await begin(tab);
	return tab;
}

/* The functions that are given to evaluate() run in the page. */
const begin = tab => tab.evaluate(async () => {
	const { Client, IndexedDBStore, cookie_tokens } = await import('/sdk/index.js');
	globalThis.store = new IndexedDBStore();
	globalThis.client = new Client({ url: '/', store: globalThis.store, tokens: cookie_tokens });
	globalThis.reasons = [];
	globalThis.client.on('signedout', ({ reason }) => globalThis.reasons.push(reason));
});
const sign_in = (tab, who, call = 'login') => tab.evaluate(async ([name, secret, method]) => {
	await globalThis.client[method](name, secret);
	await globalThis.client.connect();
}, [who, password, call]);
const restore = tab => tab.evaluate(() => globalThis.client.restore());
const request = (tab, ...call) => tab.evaluate(it => globalThis.client.request(...it), call);
const stored = tab => tab.evaluate(() => globalThis.store.list(''));
/* Resolves to the code of the error, or to undefined. */
const logout = tab => tab.evaluate(() => globalThis.client.logout().then(() => undefined, ({ code }) => code));
const reasons = tab => tab.evaluate(() => globalThis.reasons);
const reconnect = async tab => {
	await tab.reload();
	await begin(tab);
	const user = await restore(tab);
	await tab.evaluate(() => globalThis.client.connect());
	return user;
};
const sessions = async client => (await client.request('GET', '/auth/sessions')).sessions;
const no_cookie = cookies => until('the cookie is gone', async () => !(await cookies()).length);

/* A user with a device beside the browser, which sees the sessions. */
async function begin_all(t) {
	const other = await register(t, { connect: false }), at = await browse(t);
	await sign_in(at.tab, other.user.name);
	return { ...at, other, name: other.user.name };
}

test('only the browser has the cookie, over reloads, until the logout', async t => {
	const { context, tab, cookies } = await browse(t);
	const name = new_name();
	await sign_in(tab, name, 'register');
	const [cookie, ...more] = await cookies();
	assert.deepEqual([cookie.name, cookie.path, cookie.httpOnly, cookie.sameSite, more],
		['parley_refresh', '/auth', true, 'Strict', []]);
	assert.ok(cookie.value.length > 20 && cookie.expires > Date.now() / 1000 + 86400);
	assert.ok(!JSON.stringify(await stored(tab)).includes(cookie.value));
	assert.equal(await tab.evaluate(() => document.cookie), '');

	for (let round = 0; round < 3; round++)
		assert.equal((await reconnect(tab)).name, name);
	const [renewed] = await cookies();
	assert.notEqual(renewed.value, cookie.value);

	const other = await open(context);
	assert.equal((await restore(other)).name, name);
	await other.evaluate(() => globalThis.client.connect());
	assert.equal(await logout(tab), undefined);
	assert.deepEqual([await cookies(), await stored(tab)], [[], []]);
	await until('the other tab is signed out', async () => (await reasons(other)).length);
	assert.deepEqual([await reasons(other), await restore(other)], [['signed_out'], null]);
});

test('two tabs that begin at once keep the one session', async t => {
	const { context, tab, cookies, other, name } = await begin_all(t);
	const second = await open(context);
	for (let round = 0; round < 5; round++)
		for (const user of await Promise.all([tab, second].map(reconnect)))
			assert.equal(user.name, name);
	assert.deepEqual([await reasons(tab), await reasons(second)], [[], []]);
	assert.equal((await sessions(other)).length, 2);
	assert.equal((await cookies()).length, 1);
});

for (const next_page of [false, true])
	test(`a logout without a connection is told by the ${next_page ? 'next' : 'same'} page`, async t => {
		const { context, tab: first, cookies, other } = await begin_all(t);
		await context.setOffline(true);
		assert.equal(await logout(first), 'network');
		assert.deepEqual([await stored(first), await restore(first)], [[true], null]);
		assert.equal((await cookies()).length, 1, 'the browser still has the cookie');
		assert.equal((await sessions(other)).length, 2);

		if (next_page)
			await first.close();
		await context.setOffline(false);
		const tab = next_page ? await open(context) : first;
		if (next_page)
			assert.equal(await restore(tab), null);
		await no_cookie(cookies);
		await until('nothing is owed', async () => !(await stored(tab)).length);
		assert.equal((await sessions(other)).length, 1);
	});

test('a sign-in after a logout without a connection ends the old session first', async t => {
	const { context, tab, cookies, other } = await begin_all(t);
	const bob = await register(t, { connect: false });
	await context.setOffline(true);
	assert.equal(await logout(tab), 'network');
	const [before] = await cookies();
	await context.setOffline(false);
	await sign_in(tab, bob.user.name);
	const [after] = await cookies();
	assert.notEqual(after.value, before.value);
	assert.deepEqual([(await sessions(other)).length, (await sessions(bob)).length], [1, 2]);
	assert.equal((await reconnect(tab)).id, bob.user.id);
	assert.equal((await stored(tab)).includes(true), false);
});

test('a session that is ended by another device takes its cookie along', async t => {
	const { tab, cookies, other } = await begin_all(t);
	const [{ id }] = (await sessions(other)).filter(({ current }) => !current);
	await other.request('DELETE', `/auth/sessions/${id}`);
	await until('the page is signed out', async () => (await reasons(tab)).length);
	assert.deepEqual(await reasons(tab), ['ended']);
	await no_cookie(cookies);
});

test('a call that ends the own session takes its cookie along', async t => {
	const { tab, cookies, name } = await begin_all(t);
	const [{ id }] = (await request(tab, 'GET', '/auth/sessions')).sessions.filter(({ current }) => current);
	await request(tab, 'DELETE', `/auth/sessions/${id}`);
	assert.deepEqual(await cookies(), []);
	await sign_in(tab, name);
	assert.equal((await cookies()).length, 1);
	await request(tab, 'DELETE', '/auth/account', { password });
	assert.deepEqual(await cookies(), []);
	assert.equal(await logout(tab), undefined);
	assert.deepEqual(await stored(tab), []);
});
