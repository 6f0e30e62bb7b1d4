/**
 * The page with access tokens that live for seconds (tests/blackbox/support/tight_limits.py): it renews
 * them by its cookie, and nobody notices.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { HANG_MS, startBrowser } from "./support/browser.mjs";
import { LEFT, LINE_CUT, onScene } from "./support/chat.mjs";
import { until } from "./support/people.mjs";

const origin = process.env.TIGHT_URL;
const TOKEN_MS = Number(process.env.TIGHT_TOKENS_S) * 1000;

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

/** The answers to POST /auth/refresh that this tab gets. */
function renewals(chat) {
	const codes = [];
	chat.page.on("response", (answer) => {
		if (new URL(answer.url()).pathname === "/auth/refresh") {
			codes.push(answer.status());
		}
	});
	return codes;
}

test("two tabs live through many tokens: signed in, connected, each message once", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const { conversation } = await bob.says(alice, "w-0");
	const one = await stage.at(alice, bob, { origin });
	const two = await stage.tab(one, `/#/${conversation}`);
	await two.article("w-0").waitFor();
	const tabs = [one, two];
	const codes = tabs.map(renewals);
	const sockets = [];
	tabs.forEach(({ page }) => page.on("websocket", (socket) => sockets.push(socket.url())));
	let n = 0;
	while (codes.flat().length < 4) {
		n += 1;
		await bob.says(alice, `w-${n}`);
		await new Promise((resolve) => { setTimeout(resolve, TOKEN_MS / 20); });
	}
	assert.ok(codes.flat().every((code) => code === 200), codes.flat().join());
	assert.deepEqual(sockets, [], "a socket lives on with the next token");
	await one.write("still here");
	for (const tab of tabs) {
		await tab.article("still here").waitFor();
		await until("all have come", async () => (await tab.texts(/w-\d+/)).length > n);
		assert.deepEqual(await tab.texts(/w-\d+/), Array.from({ length: n + 1 }, (_, at) => `w-${at}`));
		assert.equal(await tab.button("Sign in").count(), 0);
	}
	const cookies = await one.context.cookies();
	assert.equal(cookies.length, 1, "the cookie has its successor, and no second one beside it");
}));

test("a computer that slept longer than its token lived", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.says(alice, "before");
	const a = await stage.at(alice, bob, { origin });
	await a.article("before").waitFor();
	await a.context.setOffline(true);
	await a.connection("Offline");
	await a.write("written meanwhile");
	await bob.says(alice, "heard later");
	await new Promise((resolve) => { setTimeout(resolve, TOKEN_MS * 1.5); });
	await a.context.setOffline(false);
	await a.connection("Connected");
	await a.article("heard later").waitFor();
	await a.comesTo("written meanwhile", "Saved");
	await a.reload();
	await a.ready();
	await a.article("heard later").waitFor();
}, LINE_CUT, LEFT));

test("a reload with a token that has ended", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.says(alice, "good day");
	const a = await stage.at(alice, bob, { origin });
	await a.article("good day").waitFor();
	await a.goto(`${origin}/docs/`);
	await new Promise((resolve) => { setTimeout(resolve, TOKEN_MS * 1.2); });
	await a.goto(`${origin}/`);
	await a.ready();
	await a.open(bob.name);
	await a.write("still signed in");
	await a.comesTo("still signed in", "Saved");
}, LEFT));
