/** What one does with a message: reply, edit, delete, react; and what others see of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { HANG_MS, startBrowser } from "./support/browser.mjs";
import { onScene, textOf } from "./support/chat.mjs";
import { until } from "./support/people.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

/** Two people in a direct conversation, with a message of each. */
async function two(stage) {
	const [alice, bob] = await stage.people(2);
	await alice.says(bob, "from alice");
	const { conversation } = await bob.says(alice, "from bob");
	const [a, b] = await Promise.all([stage.at(alice, bob), stage.at(bob, alice)]);
	await a.article("from bob").waitFor();
	await b.article("from bob").waitFor();
	return { alice, bob, conversation, a, b };
}

/** The text box in this article. */
const editorOf = (chat) => chat.articles().getByRole("textbox");
const has_focus = (locator) => locator.evaluate((node) => node === document.activeElement);

test("More… is in the tree of each message without a mouse, and shows itself to the focus", scene(async (stage) => {
	const { a } = await two(stage);
	await a.page.mouse.move(0, 0);
	const buttons = a.articles().getByRole("button", { name: "More…", exact: true, includeHidden: false });
	assert.equal(await buttons.count(), 2);
	const { nodes } = await (await a.context.newCDPSession(a.page)).send("Accessibility.getFullAXTree");
	assert.equal(nodes.filter((node) => node.role?.value === "button" && node.name?.value === "More…" && !node.ignored).length, 2);
	const button = buttons.first();
	const opacity = () => button.evaluate((node) => {
		let least = 1;
		for (let at = node; at; at = at.parentElement) {
			least = Math.min(least, Number(getComputedStyle(at).opacity));
		}
		return least;
	});
	await button.focus();
	await until("it is seen with the focus", async () => await opacity() > 0.9);
	await a.box.focus();
	await a.article("from alice").hover();
	await until("it is seen under the mouse", async () => await opacity() > 0.9);
}));

test("More… is always seen on touch", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.says(alice, "from bob");
	const a = await stage.at(alice, bob, { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
	const button = a.article("from bob").getByRole("button", { name: "More…", exact: true });
	await button.waitFor();
	assert.ok(await button.evaluate((node) => {
		for (let at = node; at; at = at.parentElement) {
			if (Number(getComputedStyle(at).opacity) < 0.5) {
				return false;
			}
		}
		return true;
	}));
	assert.equal(await has_focus(a.box), false, "on touch opening does not bring up the keyboard");
	const { width, height } = await button.boundingBox();
	assert.ok(width >= 44 && height >= 44, `${width} x ${height}`);
	await button.tap();
	await a.page.getByRole("menuitem", { name: "Reply", exact: true }).waitFor();
}));

describe("what is offered", () => {
	test("in a direct conversation", scene(async (stage) => {
		const { a } = await two(stage);
		await until("the own one is saved", async () => ["Saved", "Read"].includes(await a.state("from alice")));
		const [own, others] = [await a.offers("from alice"), await a.offers("from bob")];
		for (const item of ["Reply", "Edit", "Delete", "React"]) {
			assert.ok(own.includes(item), `${item} of an own message: ${own}`);
		}
		for (const item of ["Reply", "React"]) {
			assert.ok(others.includes(item), `${item} of another's message: ${others}`);
		}
		for (const item of ["Edit", "Delete", "Try again", "Discard"]) {
			assert.ok(!others.includes(item), `${item} of another's message: ${others}`);
		}
	}));

	test("in a group: admins delete what others wrote, members do not, nobody edits it", scene(async (stage) => {
		const [alice, bob, carol] = await stage.people(3);
		const group = await alice.makes("group", "The three", bob, carol);
		await alice.call("PATCH", `/conversations/${group}/members/${bob.id}`, { role: "admin" });
		await carol.says(group, "from carol");
		await alice.says(group, "from alice");
		const pages = await Promise.all([alice, bob, carol].map((one) => stage.at(one, group)));
		const [a, b, c] = pages;
		await Promise.all(pages.map((one) => one.article("from alice").waitFor()));
		const may = async (one, text) => ["Edit", "Delete"].filter((item) => one.includes(item)).join(" ") + text;
		assert.equal(await may(await a.offers("from carol"), ""), "Delete");
		assert.equal(await may(await b.offers("from carol"), ""), "Delete");
		assert.equal(await may(await b.offers("from alice"), ""), "Delete");
		assert.equal(await may(await c.offers("from alice"), ""), "");
		assert.equal(await may(await c.offers("from carol"), ""), "Edit Delete");
		await b.choose("from carol", "Delete");
		await b.page.getByRole("alertdialog").getByRole("button", { name: "Delete", exact: true }).click();
		for (const one of [a, b, c]) {
			await one.article("Message deleted").waitFor();
			assert.equal(await one.article("from carol").count(), 0);
		}
		assert.equal((await alice.history(group)).find((one) => one.user_from === carol.id && one.type === "message").message, "");
		// A role that changes is seen without a reload.
		await alice.call("PATCH", `/conversations/${group}/members/${carol.id}`, { role: "admin" });
		await until("carol may delete now", async () => (await c.offers("from alice")).includes("Delete"));
	}));

	test("of a deleted message: nothing that cannot be done", scene(async (stage) => {
		const { a, b } = await two(stage);
		await a.choose("from alice", "Delete");
		await a.page.getByRole("alertdialog").getByRole("button", { name: "Delete", exact: true }).click();
		for (const one of [a, b]) {
			await one.article("Message deleted").waitFor();
			const more = one.article("Message deleted").getByRole("button", { name: "More…", exact: true });
			const items = await more.count() ? await one.offers("Message deleted") : [];
			for (const item of ["Edit", "Delete", "React"]) {
				assert.ok(!items.includes(item), item);
			}
		}
	}));
});

// --- reply --------------------------------------------------------------------------------------
test("Reply: focus in the box, Escape cancels, the answer quotes", scene(async (stage) => {
	const { bob, a, b, conversation } = await two(stage);
	const region = a.region(bob.name);
	await a.choose("from bob", "Reply");
	await until("the box has the focus", () => has_focus(a.box));
	const reply = () => region.getByText("from bob").count(); // in the log, the list's preview is outside
	await until("it says to what", async () => await reply() === 2);
	await a.page.keyboard.type("never mind");
	await a.page.keyboard.press("Escape");
	await until("it does not any more", async () => await reply() === 1);
	assert.equal(await textOf(a.box), "never mind", "Escape gives up the reply, not the text");
	assert.ok(await has_focus(a.box));
	await a.write("no answer");
	await a.choose("from bob", "Reply");
	await a.write("the answer");
	for (const one of [a, b]) {
		const article = one.article("the answer");
		await article.waitFor();
		assert.match(await article.textContent(), /from bob/);
		assert.doesNotMatch(await one.article("no answer").textContent(), /from bob/);
	}
	await a.comesTo("the answer", "Read");
	const entries = await bob.history(conversation);
	assert.deepEqual(entries.map((one) => one.reply_to), [undefined, undefined, undefined, 2]);
	await a.write("and no reply any more");
	await b.article("and no reply any more").waitFor();
	assert.equal((await bob.history(conversation)).at(-1).reply_to, undefined);
}));

test("a quote follows what it quotes: edited, then deleted", scene(async (stage) => {
	const { alice, bob, a, conversation } = await two(stage);
	await alice.says(bob, "the answer", { replyTo: 2 });
	const article = a.article("the answer");
	await article.waitFor();
	const client = await bob.client();
	await client.edit({ conversation, seq: 2, text: "said otherwise" }).saved;
	await until("the quote is the new text", async () => /said otherwise/.test(await article.textContent()));
	await client.delete({ conversation, seq: 2 }).saved;
	await until("the quote is gone", async () => !/said otherwise|from bob/.test(await article.textContent()));
}));

// --- edit ----------------------------------------------------------------------------------------
test("Edit: a box with the text; Escape leaves it, Enter saves; both see `edited`", scene(async (stage) => {
	const { a, b } = await two(stage);
	await a.choose("from alice", "Edit");
	await editorOf(a).waitFor();
	assert.equal(await textOf(editorOf(a)), "from alice");
	await until("it has the focus", () => has_focus(editorOf(a)));
	await a.page.keyboard.press("End");
	await a.page.keyboard.type(", who thought again");
	await a.page.keyboard.press("Escape");
	await editorOf(a).waitFor({ state: "detached" });
	await a.article("from alice").waitFor();
	assert.equal(await a.article("thought again").count(), 0);
	assert.ok(await a.page.evaluate(() => document.activeElement !== document.body), "the focus is not lost");

	await a.choose("from alice", "Edit");
	await a.page.keyboard.press("Control+A");
	await a.page.keyboard.type("first line");
	await a.page.keyboard.press("Shift+Enter");
	await a.page.keyboard.type("second line");
	await a.page.keyboard.press("Enter");
	await editorOf(a).waitFor({ state: "detached" });
	for (const one of [a, b]) {
		await one.article("second line").waitFor();
		await until("it says `edited`", async () => /\bedited\b/.test(await one.told("second line")));
		assert.match(await one.article("second line").innerText(), /first line\s*\n\s*second line/);
		assert.equal(await one.article("from alice").count(), 0);
		assert.equal(await one.articles().count(), 2);
	}
	await b.reload();
	await b.article("second line").waitFor();
	assert.match(await b.told("second line"), /\bedited\b/);
}, [/net::ERR_ABORTED/]));

test("an edit that says nothing or nothing new is none", scene(async (stage) => {
	const { a, bob, conversation } = await two(stage);
	for (const text of ["from alice", "   "]) {
		await a.choose("from alice", "Edit");
		await editorOf(a).fill(text);
		await editorOf(a).press("Enter");
		if (text.trim()) {
			await editorOf(a).waitFor({ state: "detached" });
		} else if (await editorOf(a).count()) {
			await editorOf(a).press("Escape");
		}
	}
	await a.write("afterwards");
	await until("it has come", async () => (await bob.history(conversation)).length === 3);
	const [entry] = await bob.history(conversation);
	assert.deepEqual([entry.message, entry.revision], ["from alice", undefined]);
}));

// --- delete ----------------------------------------------------------------------------------------
test("Delete asks, Cancel and Escape keep, then both see `Message deleted`", scene(async (stage) => {
	const { a, b } = await two(stage);
	const question = a.page.getByRole("alertdialog");
	for (const no of ["Cancel", "Escape"]) {
		await a.choose("from alice", "Delete");
		await question.waitFor();
		assert.ok(await question.getByRole("button", { name: "Delete", exact: true }).count());
		await (no === "Cancel" ? question.getByRole("button", { name: "Cancel", exact: true }).click() : a.page.keyboard.press("Escape"));
		await question.waitFor({ state: "detached" });
		await a.article("from alice").waitFor();
	}
	await a.choose("from alice", "Delete");
	await question.getByRole("button", { name: "Delete", exact: true }).click();
	for (const one of [a, b]) {
		await one.article("Message deleted").waitFor();
		assert.equal(await one.article("from alice").count(), 0);
		assert.equal(await one.articles().count(), 2);
	}
	assert.ok(await a.page.evaluate(() => document.activeElement !== document.body), "the focus is not lost");
	await b.reload();
	await b.article("Message deleted").waitFor();
}, [/net::ERR_ABORTED/]));

// --- react ------------------------------------------------------------------------------------------
test("a reaction is a toggle with its count, for all to see", scene(async (stage) => {
	const { a, b, alice, bob, conversation } = await two(stage);
	await a.react("from bob", "👍");
	await a.reaction("from bob", "👍", 1).waitFor();
	await b.reaction("from bob", "👍", 1).waitFor();
	assert.equal(await a.reaction("from bob", "👍", 1).getAttribute("aria-pressed"), "true");
	assert.equal(await b.reaction("from bob", "👍", 1).getAttribute("aria-pressed"), "false");
	await b.reaction("from bob", "👍", 1).click();
	for (const one of [a, b]) {
		await one.reaction("from bob", "👍", 2).waitFor();
		await until("it is pressed", async () => await one.reaction("from bob", "👍", 2).getAttribute("aria-pressed") === "true");
	}
	await until("both are in the history", async () =>
		(await alice.history(conversation))[1].reactions?.[0].users.length === 2);
	await a.reaction("from bob", "👍", 2).focus();
	await a.page.keyboard.press("Space");
	await a.reaction("from bob", "👍", 1).waitFor();
	await b.reaction("from bob", "👍", 1).waitFor();
	assert.equal(await a.reaction("from bob", "👍", 1).getAttribute("aria-pressed"), "false");
	assert.ok(await a.reaction("from bob", "👍", 1).evaluate((node) => node === document.activeElement),
		"the focus survives that its label changes");
	await b.reaction("from bob", "👍", 1).click();
	for (const one of [a, b]) {
		await one.reaction("from bob", "👍").waitFor({ state: "detached" });
	}
	await (await bob.client()).react({ conversation, seq: 1, reaction: "👩‍👩‍👧" }).saved;
	await a.reaction("from alice", "👩‍👩‍👧", 1).waitFor();
}));

test("what others change while one writes keeps the focus and the text", scene(async (stage) => {
	const { bob, alice, conversation, a } = await two(stage);
	await a.box.pressSequentially("half a sen");
	const client = await bob.client();
	await client.edit({ conversation, seq: 2, text: "edited meanwhile" }).saved;
	await client.react({ conversation, seq: 1, reaction: "👍" }).saved;
	await bob.says(alice, "one more meanwhile");
	await a.article("one more meanwhile").waitFor();
	await a.article("edited meanwhile").waitFor();
	await a.reaction("from alice", "👍", 1).waitFor();
	assert.ok(await has_focus(a.box));
	await a.page.keyboard.type("tence");
	assert.equal(await textOf(a.box), "half a sentence");
	// The same with the focus on a button of a message, and with an editor that is open.
	const more = a.article("from alice").getByRole("button", { name: "More…", exact: true });
	await more.focus();
	await client.react({ conversation, seq: 1, reaction: "🎉" }).saved;
	await a.reaction("from alice", "🎉", 1).waitFor();
	assert.ok(await has_focus(more));
	await a.choose("from alice", "Edit");
	await editorOf(a).fill("half an edit");
	await client.react({ conversation, seq: 1, reaction: "❤️" }).saved;
	await bob.says(alice, "and another one");
	await a.article("and another one").waitFor();
	assert.equal(await textOf(editorOf(a)), "half an edit");
	assert.ok(await has_focus(editorOf(a)));
}));

// --- the menu by keys -------------------------------------------------------------------------------
test("the menu goes by keys: arrows, Escape, focus back", scene(async (stage) => {
	const { a } = await two(stage);
	const more = a.article("from alice").getByRole("button", { name: "More…", exact: true });
	await more.focus();
	await a.page.keyboard.press("Enter");
	const menu = a.page.getByRole("menu");
	await menu.waitFor();
	const at = () => a.page.evaluate(() => document.activeElement.textContent.trim());
	const items = await menu.getByRole("menuitem").allInnerTexts();
	await until("the first item has the focus", async () => await at() === items[0].trim());
	await a.page.keyboard.press("ArrowDown");
	assert.equal(await at(), items[1].trim());
	await a.page.keyboard.press("End");
	const last = await at();
	await a.page.keyboard.press("ArrowDown");
	assert.equal(await at(), items[0].trim(), `from ${last} it goes round`);
	await a.page.keyboard.press("Escape");
	await menu.waitFor({ state: "detached" });
	assert.ok(await has_focus(more));
	await a.page.keyboard.press("Enter");
	await menu.waitFor();
	await a.box.click();
	await menu.waitFor({ state: "detached" });
	assert.ok(await has_focus(a.box), "a click elsewhere closes it, and does what it does");
}));
