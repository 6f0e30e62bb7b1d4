/**
 * Gateway, persistence and identity are killed while two people write to each other on their pages,
 * one of them with a second device. No page loses a message, shows one twice or in another order.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { is_ready, kill } from "../../../clients/js/tests/support/stack.js";
import { HANG_MS, startBrowser } from "../support/browser.mjs";
import { onScene, refused } from "../support/chat.mjs";
import { until } from "../support/people.mjs";

const KILLS = [
	["the gateway", ["websocket-service"]],
	["persistence", ["persistence-service"]],
	["identity", ["identity-service"]],
	["all at once", ["websocket-service", "persistence-service", "identity-service"]],
];
const BEFORE = 6; // messages of each before the next kill
const ROUND = 30; // and at most so many until the one after that: a page shows 300
const LEAST = 40;
const PAUSE_MS = 150; // people think
const TEXT = /(?:alice|bob) \d{3}(?: edited)?/;

/** nginx answers while a service is away, and a socket ends or does not open. */
const AWAY = [refused(502, 503, 504), /^console: WebSocket connection to /];

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());

/** Someone who writes on a page: one text after the other, and between two of them what is asked for. */
class Writer {
	written = [];
	most = ROUND;
	#wishes = [];

	constructor(chat, name) {
		Object.assign(this, { chat, name });
	}

	wish(change) {
		this.#wishes.push(change);
	}

	async run(goesOn) {
		while (goesOn() || this.written.length < LEAST || this.#wishes.length) {
			await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
			await this.#wishes.shift()?.(this.chat);
			if (this.written.length === this.most) {
				continue;
			}
			const text = `${this.name} ${String(this.written.length).padStart(3, "0")}`;
			await this.chat.box.focus();
			await this.chat.page.keyboard.type(text);
			await this.chat.page.keyboard.press("Enter");
			this.written.push(text);
		}
	}
}

/** `alice 003`, so long as it is not edited. */
const textAt = (at) => `alice ${String(at).padStart(3, "0")}`;

const edit = (text) => async (chat) => {
	await chat.choose(text, "Edit");
	await chat.articles().getByRole("textbox").fill(`${text} edited`);
	await chat.page.keyboard.press("Enter");
	await chat.articles().getByRole("textbox").waitFor({ state: "detached" });
};

const react = (text) => async (chat) => {
	await chat.choose(text, "React");
	await chat.page.getByRole("button", { name: /^👍(?! \d)/u }).or(chat.page.getByRole("menuitem", { name: /^👍/u })).first().click();
};

test("two people and a second device chat while services are killed", { timeout: 300_000 }, onScene(() => browser, async (stage) => {
	const [alice, bob] = await stage.people(2);
	const { conversation } = await bob.says(alice, "good day");
	await bob.leaves();
	const pages = [await stage.at(alice, bob), await stage.at(bob, alice), await stage.at(alice, bob)];
	for (const page of pages) {
		await page.article("good day").waitFor();
		await page.connection("Connected");
	}
	const [a, b] = pages;
	const writers = [new Writer(a, "alice"), new Writer(b, "bob")];
	const [ofAlice, ofBob] = writers;
	let kills = true;
	const killAll = async () => {
		for (const [at, [name, programs]] of KILLS.entries()) {
			const from = writers.map((one) => one.written.length);
			await until(`before ${name}: both write on`, () => writers.every((one, which) => one.written.length >= from[which] + BEFORE));
			await until(`before ${name}: ${textAt(at)} is saved`, async () => /Saved|Read/.test(await a.state(textAt(at))));
			await b.article(textAt(at)).waitFor();
			const dead = Promise.all(programs.map(kill));
			ofAlice.wish(edit(textAt(at)));
			ofBob.wish(react(textAt(at)));
			await dead;
			await until(`after ${name}: the services are ready`, is_ready);
			for (const page of pages) {
				await page.connection("Connected");
			}
			writers.forEach((one) => { one.most += ROUND; });
		}
	};
	const run = Promise.all(writers.map((one) => one.run(() => kills)));
	await Promise.all([run, killAll().finally(() => { kills = false; })]);

	const edited = KILLS.map((_, at) => `${textAt(at)} edited`);
	const wanted = {
		alice: ofAlice.written.map((text, at) => edited[at] ?? text),
		bob: ofBob.written,
	};
	const count = wanted.alice.length + wanted.bob.length;
	await until("the server has all messages and changes", async () => {
		const history = await alice.history(conversation);
		return history.length >= count + 1 && edited.every((text) => history.some((one) => one.message === text && one.reactions?.length));
	});
	for (const [at, page] of pages.entries()) {
		await until(`page ${at}: nothing is on its way`, async () => !/\bSending\b/.test(await page.log.ariaSnapshot()));
		for (const text of edited) {
			await until(`page ${at}: "${text}" has its reaction`, async () => await page.reaction(text, "👍", 1).count() === 1);
		}
	}
	const last = [ofAlice, ofBob].map((one) => one.written.at(-1));
	for (const page of pages) {
		for (const text of last) {
			await page.article(text).first().waitFor({ state: "attached" });
		}
	}

	const history = (await alice.history(conversation)).slice(1).map((one) => one.message);
	for (const { name } of writers) {
		assert.deepEqual(history.filter((text) => text.startsWith(name)), wanted[name], `the history of ${name}'s messages`);
	}
	for (const [at, page] of pages.entries()) {
		// What comes late is no fault; what never comes is told by the texts.
		await until("all are there", async () => await page.articles().count() > history.length).catch(() => {});
		assert.deepEqual(await page.texts(TEXT), history, `page ${at}`);
		assert.equal(await page.articles().count(), history.length + 1, `page ${at}: articles`);
		assert.doesNotMatch(await page.log.ariaSnapshot(), /\b(Sending|Failed)\b/);
		await page.connection("Connected");
	}
}, AWAY));
