/** A long past: ten thousand messages, back to the very first, and nothing that jumps. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { HANG_MS, startBrowser } from "./support/browser.mjs";
import { onScene } from "./support/chat.mjs";
import { Person, until } from "./support/people.mjs";

const LONG = 10_000;
/** More than this is seen as a jump. */
const JUMP_PX = 2;
const textAt = (n) => `m-${String(n).padStart(5, "0")}${n % 7 === 0 ? ` ${"some more words of it ".repeat(n % 40)}` : ""}`;

let browser;
let alice;
let bob;
let conversation;
before(async () => {
	// With bars to drag.
	browser = await startBrowser({ ignoreDefaultArgs: ["--hide-scrollbars"] });
	[alice, bob] = await Promise.all([Person.register(), Person.register()]);
	const saved = await bob.plant(alice, Array.from({ length: LONG }, (_, n) => textAt(n + 1)));
	({ conversation } = saved[0]);
	await alice.reads(conversation, LONG);
	await until("all is read", async () => (await alice.call("GET", "/conversations")).conversations[0].unread === 0);
}, { timeout: HANG_MS * 2 });
after(async () => {
	await Promise.all([alice?.leaves(), bob?.leaves()]);
	await browser?.close();
});
const scene = (look, ...expected) => onScene(() => browser, look, expected);

/** The numbers that are loaded, in their order. */
const numbers = async (chat) => (await chat.texts(/m-\d{5}/)).map((one) => Number(one.slice(2)));

/**
 * What one sees: after two frames, {first, last, top, height, at}: the numbers loaded, and where the
 * messages within sight stand, number -> y. `whole`: each of those loaded follows the one before.
 */
const view = (chat) => chat.log.evaluate(async (log) => {
	const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
	await frame();
	await frame();
	const box = log.getBoundingClientRect();
	const at = {};
	const all = [];
	for (const one of log.querySelectorAll("article,[role=article]")) {
		const number = Number(one.textContent.match(/m-(\d{5})/)?.[1]);
		if (number) {
			all.push(number);
			const { top, bottom } = one.getBoundingClientRect();
			if (bottom > box.top && top < box.bottom) {
				at[number] = top;
			}
		}
	}
	const whole = all.every((one, index) => index === 0 || one === all[index - 1] + 1);
	return { first: all[0], last: all.at(-1), count: all.length, whole, at, top: box.top, height: box.height };
});

/** The view when it does not change any more: no page of messages is under way. */
async function settled(chat) {
	let last = "";
	return until("the view stands still", async () => {
		const now = await view(chat);
		const same = JSON.stringify(now) === last;
		last = JSON.stringify(now);
		return same && !await chat.log.evaluate((log) => log.getAttribute("aria-busy") === "true") && now;
	});
}

/**
 * Two views between which the reader went up by at most `by` px: what is in both has moved down by no
 * more, and all of it alike.
 */
function noJump(before, now, by, what) {
	assert.ok(now.whole, `${what}: a hole or a double among those from ${now.first} to ${now.last}`);
	assert.ok(now.last >= before.first, `${what}: from ${before.first} to ${now.first}, nothing of before is left`);
	const moves = Object.keys(before.at).filter((one) => one in now.at).map((one) => now.at[one] - before.at[one]);
	if (moves.length) {
		assert.ok(Math.min(...moves) >= -JUMP_PX && Math.max(...moves) <= by + JUMP_PX,
			`${what}: moved by ${Math.min(...moves)}..${Math.max(...moves)} px, not by 0..${by}`);
		assert.ok(Math.max(...moves) - Math.min(...moves) <= JUMP_PX, `${what}: messages moved against each other`);
	}
	const seen = Object.keys(before.at).map(Number);
	const sees = Object.keys(now.at).map(Number);
	assert.ok(moves.length || by >= before.height / 2 && Math.max(...sees) >= Math.min(...seen) - 60,
		`${what}: of ${Math.min(...seen)}..${Math.max(...seen)} nothing is seen any more, but ${Math.min(...sees)}..${Math.max(...sees)}`);
}

const opened = async (stage, options) => {
	const chat = await stage.at(alice, conversation, options);
	await chat.article(textAt(LONG).slice(0, 7)).waitFor();
	return chat;
};

test("it opens at the end, with a part of it", scene(async (stage) => {
	const chat = await opened(stage);
	const now = await settled(chat);
	assert.equal(now.last, LONG);
	assert.ok(now.whole);
	assert.ok(now.count < 2000, `${now.count} messages were put into the page at once`);
	assert.ok(now.at[LONG] !== undefined, "the newest is within sight");
	assert.equal(await chat.button("Jump to newest").filter({ visible: true }).count(), 0);
}));

describe("back to the very first", () => {
	test("by the wheel: what one reads stays where it is", { timeout: HANG_MS * 5 }, scene(async (stage) => {
		const chat = await opened(stage);
		let before = await settled(chat);
		await chat.log.hover();
		const loads = new Set([before.first]);
		for (let turns = 0; turns < 400 && loads.size < 12; turns += 1) {
			await chat.page.mouse.wheel(0, -500);
			const now = await view(chat);
			noJump(before, now, 500, `turn ${turns}`);
			const still = now.first < before.first || now.first > 1 && await atTop(chat) ? await settled(chat) : now;
			noJump(now, still, 500, `after turn ${turns}`);
			loads.add(still.first);
			before = still;
		}
		assert.ok(loads.size >= 12, `only ${loads.size} pages were loaded`);
	}));

	test("by the wheel at the upper edge: it does not leap a page", { timeout: HANG_MS * 2 }, scene(async (stage) => {
		const chat = await opened(stage);
		await chat.log.hover();
		for (let n = 0; n < 6; n += 1) { // faster than pages come
			const { first } = await settled(chat);
			await chat.page.mouse.wheel(0, -200_000);
			await until("an older page has come", async () => (await view(chat)).first < first);
			const now = await settled(chat);
			assert.ok(now.whole);
			const seen = Math.min(...Object.keys(now.at).map(Number));
			assert.ok(seen >= first - 60, `${first} was the first; after the next page one sees ${seen}`);
		}
	}));

	test("by keys, to the first of ten thousand", { timeout: HANG_MS * 5 }, scene(async (stage) => {
		const chat = await opened(stage);
		await chat.log.focus();
		const seen = new Set();
		let { first } = await settled(chat);
		for (const key of ["PageUp", "ArrowUp"]) {
			const before = await settled(chat);
			await chat.page.keyboard.press(key);
			const now = await settled(chat);
			noJump(before, now, before.height, key);
			assert.ok(Object.keys(before.at).some((one) => now.at[one] > before.at[one]) || now.first < before.first
				|| Math.min(...Object.keys(now.at)) < Math.min(...Object.keys(before.at)), `${key} scrolls`);
		}
		for (let pages = 0; first > 1; pages += 1) {
			assert.ok(pages < 1000, "it ends");
			await chat.page.keyboard.press("Home");
			const upTo = first;
			const loaded = await until("an older page has come", async () => {
				const now = await numbers(chat);
				if (now[0] < upTo) {
					return now;
				}
				await chat.page.keyboard.press("Home");
				return null;
			});
			[first] = loaded;
			assert.ok(loaded.every((one, at) => at === 0 || one === loaded[at - 1] + 1), `a hole or a double at ${first}`);
			loaded.forEach((one) => seen.add(one));
		}
		await chat.page.keyboard.press("Home");
		const end = await settled(chat);
		assert.equal(end.first, 1);
		await until("the first one is within sight", async () => 1 in (await view(chat)).at);
		for (let n = 1; n <= LONG; n += 1) {
			assert.ok(seen.has(n), `${n} was never there`);
		}
		await chat.button("Jump to newest").click();
		await until("the newest is within sight", async () => LONG in (await view(chat)).at);
		assert.equal(await chat.button("Jump to newest").filter({ visible: true }).count(), 0);
		assert.ok((await settled(chat)).whole);
	}));

	test("by dragging the bar", { timeout: HANG_MS * 3 }, scene(async (stage) => {
		const chat = await opened(stage);
		const box = await chat.log.boundingBox();
		const bar = await chat.log.evaluate((log) => log.offsetWidth - log.clientWidth);
		assert.ok(bar > 0, "there is a bar to drag");
		for (let drags = 0; drags < 4; drags += 1) {
			const { first } = await settled(chat);
			const y = await chat.log.evaluate((log) => log.getBoundingClientRect().top
				+ (log.scrollTop + log.clientHeight / 2) / log.scrollHeight * log.clientHeight);
			const x = box.x + box.width - bar / 2;
			await chat.page.mouse.move(x, y);
			await chat.page.mouse.down();
			await chat.page.mouse.move(x, box.y + 2, { steps: 8 });
			await until("an older page has come", async () => (await view(chat)).first < first);
			await chat.page.mouse.up();
			const now = await settled(chat);
			assert.ok(now.whole, "a hole or a double");
		}
	}));
});

const atTop = (chat) => chat.log.evaluate((log) => log.scrollTop < 300);

test("a new message moves nothing while one reads old ones; the way back counts it", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [carol, dora] = await stage.people(2);
	const old = await dora.plant(carol, Array.from({ length: 300 }, (_, n) => textAt(n + 1)));
	await carol.reads(old[0].conversation, 300);
	const chat = await stage.at(carol, dora);
	await chat.article("m-00300").waitFor();
	const jump = chat.button("Jump to newest").or(chat.page.getByRole("button", { name: /^Jump to newest/ })).filter({ visible: true });
	assert.equal(await jump.count(), 0);
	await chat.log.hover();
	await chat.page.mouse.wheel(0, -2500);
	await jump.waitFor();
	const before = await settled(chat);
	for (let n = 301; n <= 303; n += 1) {
		await dora.says(carol, textAt(n));
	}
	await chat.article("m-00303").waitFor({ state: "attached" });
	noJump(before, await settled(chat), 0, "a new message");
	await chat.unread(dora.name, 3);
	// An own message leads to the end: one sees what one has written.
	await chat.write("an own one");
	await until("the own one is within sight", () => inSight(chat, "an own one"));
	await until("the way back is gone", async () => await jump.count() === 0);
	await dora.says(carol, textAt(304));
	await until("at the end one follows it", () => inSight(chat, "m-00304"));
	await dora.says(carol, `m-00305 ${"a long one ".repeat(400)}`);
	await until("a long one too", () => inSight(chat, "m-00305"));
	assert.equal(await jump.count(), 0);
}));

const inSight = (chat, text) => chat.log.evaluate((log, wanted) => {
	const one = [...log.querySelectorAll("article,[role=article]")].findLast((it) => it.textContent.includes(wanted));
	const [box, at] = [log.getBoundingClientRect(), one.getBoundingClientRect()];
	return at.bottom > box.top && at.top < box.bottom && at.bottom <= box.bottom + 2;
}, text);

/** The line: what stands in the log outside of all messages and says that something is unread or new. */
const lineOf = (chat) => chat.log.evaluate((log) => {
	const lines = [...log.querySelectorAll("*")].filter((one) => !one.closest("article,[role=article]")
		&& !one.querySelector("article,[role=article]") && /\b(unread|new)\b/i.test(one.getAttribute("aria-label") ?? one.textContent));
	const top = (one) => one?.getBoundingClientRect().top;
	const before = lines.filter((one) => !lines.some((other) => other !== one && one.contains(other)));
	if (before.length !== 1) {
		return before.length ? { count: before.length } : null;
	}
	const articles = [...log.querySelectorAll("article,[role=article]")].filter((one) => /m-\d{5}/.test(one.textContent));
	const after = articles.find((one) => before[0].compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
	return { first: Number(after?.textContent.match(/m-(\d{5})/)[1]), y: top(before[0]) - log.getBoundingClientRect().top,
		height: log.clientHeight };
});

test("a hundred unread: it opens at the line, which stays until one leaves", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [carol, dora, emil] = await stage.people(3);
	await emil.says(carol, "good day");
	const old = await dora.plant(carol, Array.from({ length: 160 }, (_, n) => textAt(n + 1)));
	const { conversation: id } = old[0];
	await carol.reads(id, 60);
	await until("it is read", async () => (await carol.call("GET", `/conversations/${id}`)).unread === 100);
	const chat = await stage.signedIn(carol);
	await chat.unread(dora.name, 100);
	await chat.open(dora.name);
	const line = await until("the line is there", () => lineOf(chat));
	assert.equal(line.first, 61);
	const now = await settled(chat);
	const shown = await lineOf(chat);
	assert.ok(shown.y >= 0 && shown.y < shown.height, `the line is within sight: ${JSON.stringify(shown)}`);
	assert.ok(61 in now.at, "and the first unread message with it");
	assert.ok(now.whole);
	const unread = async () => (await carol.call("GET", `/conversations/${id}`)).unread;
	assert.ok(await unread() > 0, "what is below the visible part is not read");
	await chat.button("Jump to newest").click();
	await until("all is read", async () => await unread() === 0);
	await dora.says(carol, textAt(161));
	await until("the next one is within sight", () => inSight(chat, "m-00161"));
	await chat.log.hover();
	const still = await until("the line stays: one finds it again", async () => {
		await chat.page.mouse.wheel(0, -600);
		return lineOf(chat);
	});
	assert.equal(still.first, 61);
	await chat.open(emil.name);
	await chat.open(dora.name);
	await chat.article("m-00161").waitFor();
	assert.equal(await lineOf(chat), null, "it is gone when one comes again");
}));

test("a page that comes in while one writes does not take the focus or the text", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const chat = await opened(stage);
	const line = await settled(chat);
	await chat.box.fill("half a sen");
	await chat.log.hover();
	await chat.page.mouse.wheel(0, -100_000);
	await until("an older page has come", async () => (await view(chat)).first < line.first);
	await chat.page.keyboard.type("tence");
	assert.equal(await chat.box.evaluate((box) => box.value ?? box.innerText), "half a sentence");
}));

test("each conversation keeps its place while others are looked at", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [carol, dora, emil] = await stage.people(3);
	await dora.plant(carol, Array.from({ length: 200 }, (_, n) => textAt(n + 1)));
	const { conversation: id } = await emil.says(carol, "good day");
	const chat = await stage.signedIn(carol);
	await chat.open(emil.name);
	await chat.open(dora.name);
	await settled(chat);
	await chat.open(emil.name);
	assert.deepEqual(await numbers(chat), []);
	assert.equal(await chat.articles().count(), 1);
	await chat.page.goBack();
	await chat.region(dora.name).waitFor();
	await until("the messages are those of dora", async () => (await numbers(chat)).length > 10);
	assert.equal(await chat.article("good day").filter({ hasNotText: "m-" }).count(), 0);
	assert.ok(id);
}));
