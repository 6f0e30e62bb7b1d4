/** Writing: keys, composition, drafts, lines that break, messages that fail. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { HANG_MS, startBrowser } from "./support/browser.mjs";
import { LEFT, LINE_CUT, onScene, textOf } from "./support/chat.mjs";
import { CALLS, SOCKET } from "./support/line.mjs";
import { until } from "./support/people.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

const LIMIT = 16_384;

async function two(stage, options) {
	const [alice, bob] = await stage.people(2);
	const { conversation } = await bob.says(alice, "good day");
	const a = await stage.at(alice, bob, options);
	await a.article("good day").waitFor();
	await a.connection("Connected");
	const written = async () => (await bob.history(conversation)).slice(1).map((one) => one.message);
	return { alice, bob, conversation, a, written };
}

/** So long as nothing else is written, what has not come when this has was not sent. */
async function nothingMore(a, written, sofar = []) {
	await a.write("the last one");
	await until("the last one has come", async () => (await written()).includes("the last one"));
	assert.deepEqual(await written(), [...sofar, "the last one"]);
}

// --- keys --------------------------------------------------------------------------------------
test("Enter sends, Shift+Enter breaks the line, the button sends too", scene(async (stage) => {
	const { a, written } = await two(stage);
	await a.box.focus();
	await a.page.keyboard.type("one");
	await a.page.keyboard.press("Shift+Enter");
	await a.page.keyboard.type("two");
	assert.deepEqual(await written(), []);
	await a.page.keyboard.press("Enter");
	await until("it has come", async () => (await written()).length === 1);
	assert.match(await a.article("two").innerText(), /one\n\s*two/);
	await a.page.keyboard.type("by the button");
	await a.button("Send").click();
	await until("it has come", async () => (await written()).length === 2);
	assert.deepEqual(await written(), ["one\ntwo", "by the button"]);
	assert.equal(await textOf(a.box), "");
	await until("one writes on", () => a.box.evaluate((box) => box === document.activeElement));
}));

test("nothing is sent of nothing", scene(async (stage) => {
	const { a, written } = await two(stage);
	for (const text of ["", "   ", "\n\n", "\t"]) {
		await a.box.fill(text);
		await a.box.press("Enter");
		if (await a.button("Send").isEnabled()) {
			await a.button("Send").click();
		}
	}
	await a.box.fill("");
	await nothingMore(a, written);
}));

describe("a composition", () => {
	const compose = async (a) => {
		const keys = await a.context.newCDPSession(a.page);
		return {
			text: (text) => keys.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length }),
			commit: (text) => keys.send("Input.insertText", { text }),
			key: async (code, key = "Enter") => {
				for (const type of ["rawKeyDown", "keyUp"]) {
					await keys.send("Input.dispatchKeyEvent", { type, key, code: key, windowsVirtualKeyCode: code, nativeVirtualKeyCode: code });
				}
			},
		};
	};

	test("Enter while composing sends nothing", scene(async (stage) => {
		const { a, written } = await two(stage);
		await a.box.focus();
		const ime = await compose(a);
		await ime.text("に");
		await ime.text("日本");
		await ime.key(13);
		assert.match(await textOf(a.box), /日本/);
		await ime.commit("日本");
		assert.equal(await textOf(a.box), "日本");
		await a.page.keyboard.press("Enter");
		await until("it has come", async () => (await written()).length === 1);
		await nothingMore(a, written, ["日本"]);
	}));

	test("a key with the code 229 sends nothing, whatever isComposing says", scene(async (stage) => {
		const { a, written } = await two(stage);
		await a.box.fill("日本");
		const ime = await compose(a);
		await ime.key(229);
		assert.match(await textOf(a.box), /^日本/);
		await a.box.fill("日本");
		await a.box.evaluate((box) => ["keydown", "keypress", "keyup"].forEach((type) => box.dispatchEvent(new KeyboardEvent(type,
			{ key: "Enter", code: "Enter", keyCode: 229, isComposing: false, bubbles: true, cancelable: true }))));
		await a.box.evaluate((box) => box.dispatchEvent(new KeyboardEvent("keydown",
			{ key: "Enter", code: "Enter", keyCode: 13, isComposing: true, bubbles: true, cancelable: true })));
		assert.equal(await textOf(a.box), "日本");
		await nothingMore(a, written);
	}));

	test("nor does it save an edit, open a person or add one to a group", scene(async (stage) => {
		const { a, bob, written } = await two(stage);
		await a.write("an own one");
		await a.comesTo("an own one", "Saved");
		await a.choose("an own one", "Edit");
		const editor = a.articles().getByRole("textbox");
		await editor.waitFor();
		const ime = await compose(a);
		await ime.text("日本");
		await ime.key(13);
		assert.equal(await editor.count(), 1);
		await ime.commit("日本");
		await editor.press("Escape");
		await a.newConversation("Person");
		await ime.text(bob.name);
		await ime.key(13);
		assert.equal(await a.dialog.count(), 1);
		await a.page.keyboard.press("Escape");
		assert.deepEqual(await written(), ["an own one"]);
	}));
});

// --- drafts ----------------------------------------------------------------------------------------
test("a draft for each conversation, also over a reload; gone once it is sent", scene(async (stage) => {
	const [alice, bob, carol] = await stage.people(3);
	await bob.says(alice, "hi from bob");
	await carol.says(alice, "hi from carol");
	const a = await stage.signedIn(alice);
	await a.open(bob.name);
	await a.box.fill("for bob\nin two lines");
	await a.open(carol.name);
	assert.equal(await textOf(a.box), "");
	await a.box.fill("for carol");
	await a.open(bob.name);
	assert.equal(await textOf(a.box), "for bob\nin two lines");
	await until("the drafts are kept", async () => {
		const kept = await a.kept();
		return kept.includes("in two lines") && kept.includes("for carol");
	});
	await a.reload();
	await a.box.waitFor();
	await until("it is there again", async () => await textOf(a.box) === "for bob\nin two lines");
	await a.open(carol.name);
	await until("that one too", async () => await textOf(a.box) === "for carol");
	await a.box.press("Enter");
	await a.comesTo("for carol", "Saved");
	await a.reload();
	await a.article("for carol").waitFor();
	await a.connection("Connected");
	assert.equal(await textOf(a.box), "");
	assert.equal(await a.article("for carol").count(), 1);
}, LEFT));

test("a draft that is written at once before the page goes is kept", scene(async (stage) => {
	const { a } = await two(stage);
	await a.box.fill("written in the last moment");
	await a.reload();
	await a.box.waitFor();
	await until("it is there", async () => await textOf(a.box) === "written in the last moment");
}, LEFT));

test("a text over the limit stays, with an alert; it is bytes that count", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const { a, written } = await two(stage);
	const alert = a.page.getByRole("alert").filter({ hasText: /\w+/, visible: true });
	const euros = "€".repeat(Math.floor(LIMIT / 3)); // three bytes each
	for (const [what, text, fits] of [["one byte too many", "x".repeat(LIMIT + 1), false], ["characters of three bytes", `${euros}€`, false],
		["half a megabyte", "lorem ipsum ".repeat(40_000), false], ["emoji", "😀".repeat(LIMIT / 4 + 1), false],
		["all of it", `${euros}x`, true]]) {
		await a.box.fill("");
		await a.context.grantPermissions(["clipboard-read", "clipboard-write"]);
		await a.page.evaluate((value) => navigator.clipboard.writeText(value), text);
		await a.box.focus();
		await a.page.keyboard.press("Control+V");
		await until(`${what}: it is pasted`, async () => (await textOf(a.box)).length === text.length);
		await a.page.keyboard.press("Enter");
		if (fits) {
			await until(`${what}: it has come`, async () => (await written())[0] === text);
			assert.equal(await alert.count(), 0, "the alert is gone");
		} else {
			await alert.waitFor();
			assert.equal(await textOf(a.box), text, `${what}: it stays`);
		}
	}
	assert.equal((await written()).length, 1);
}));

// --- a line that breaks ---------------------------------------------------------------------------------
test("what is written without a line is kept over a reload, and sent once and in order", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const line = await stage.line();
	const { a, alice, conversation, written } = await two(stage, { line });
	line.cut(CALLS); // the page itself can be loaded
	await a.connection("Connecting…");
	const texts = Array.from({ length: 6 }, (_, n) => `offline ${n}`);
	for (const text of texts.slice(0, 4)) {
		await a.write(text);
		await a.comesTo(text, "Sending");
	}
	await until("they are kept", async () => (await a.kept()).includes("offline 3"));
	await a.reload();
	await until("they are there again", async () => (await a.texts(/offline \d/)).length === 4);
	assert.deepEqual(await a.texts(/offline \d/), texts.slice(0, 4));
	assert.equal(await a.state("offline 3"), "Sending");
	for (const text of texts.slice(4)) {
		await a.write(text);
	}
	line.mend();
	await a.comesTo("offline 5", "Saved");
	await until("all have come", async () => (await written()).length === 6);
	assert.deepEqual(await written(), texts);
	assert.deepEqual(await a.texts(/offline \d/), texts);
	await a.reload();
	await until("the history has them", async () => (await a.texts(/offline \d/)).length === 6);
	assert.deepEqual(await a.texts(/offline \d/), texts);
	assert.equal((await alice.history(conversation)).length, 7);
}, LINE_CUT, LEFT));

test("an answer that is lost doubles nothing", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const line = await stage.line();
	const { a, written } = await two(stage, { line });
	line.deafen();
	await a.write("heard, not answered");
	await until("it has come", async () => (await written()).length === 1);
	assert.equal(await a.state("heard, not answered"), "Sending");
	line.cut(SOCKET);
	line.mend();
	await a.comesTo("heard, not answered", "Saved");
	assert.equal(await a.article("heard, not answered").count(), 1);
	await nothingMore(a, written, ["heard, not answered"]);
}, LINE_CUT));

test("what others wrote meanwhile comes when the line is good again, in order", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const line = await stage.line();
	const { a, alice, bob, conversation } = await two(stage, { line });
	const client = await bob.client();
	line.cut();
	await a.write("mine");
	for (let n = 0; n < 70; n += 1) { // more than a page
		await bob.says(alice, `theirs ${n}`);
	}
	await client.edit({ conversation, seq: 1, text: "good day, edited" }).saved;
	line.mend();
	await a.article("theirs 69").waitFor();
	await a.comesTo("mine", "Saved");
	await until("all is there", async () => (await a.texts(/theirs \d+/)).length === 70);
	assert.deepEqual(await a.texts(/theirs \d+/), Array.from({ length: 70 }, (_, n) => `theirs ${n}`));
	await a.article("good day, edited").waitFor({ state: "attached" });
	await until("the order is that of the history", async () =>
		JSON.stringify(await a.texts(/mine|theirs \d+/)) === JSON.stringify((await bob.history(conversation)).slice(1).map((one) => one.message)));
}, LINE_CUT));

test("a browser without a net says Offline, and goes on by itself", scene(async (stage) => {
	const { a, written } = await two(stage);
	await a.context.setOffline(true);
	await a.connection("Offline");
	await a.write("without a net");
	await a.comesTo("without a net", "Sending");
	await a.context.setOffline(false);
	await a.connection("Connected");
	await a.comesTo("without a net", "Saved");
	assert.deepEqual(await written(), ["without a net"]);
}, LINE_CUT));

test("an own edit, deletion and reaction without a line are kept too", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const line = await stage.line();
	const { a, bob, conversation } = await two(stage, { line });
	for (const text of ["to be edited", "to be deleted"]) {
		await a.write(text);
		await a.comesTo(text, "Saved");
	}
	line.cut(CALLS);
	await a.connection("Connecting…");
	await a.choose("to be edited", "Edit");
	await a.articles().getByRole("textbox").fill("has been edited");
	await a.page.keyboard.press("Enter");
	await a.choose("to be deleted", "Delete");
	await a.page.getByRole("alertdialog").getByRole("button", { name: "Delete", exact: true }).click();
	await a.choose("good day", "React");
	await a.page.getByRole("button", { name: /^👍(?! \d)/u }).or(a.page.getByRole("menuitem", { name: /^👍/u })).first().click();
	line.mend();
	const settled = await until("the server has all three", async () => {
		const [first, edited, deleted] = await bob.history(conversation);
		return first.reactions?.length === 1 && edited.message === "has been edited" && deleted.deleted_at && true;
	});
	assert.ok(settled);
	await a.article("has been edited").waitFor();
	await a.article("Message deleted").waitFor();
	await a.reaction("good day", "👍", 1).waitFor();
}, LINE_CUT));

// --- what fails ---------------------------------------------------------------------------------------
test("a message that is refused says Failed: Try again, Discard; it survives a reload", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const { a, alice, bob, written } = await two(stage);
	await bob.call("PUT", `/blocks/${alice.id}`);
	await a.write("refused one");
	await a.comesTo("refused one", "Failed");
	await a.write("refused two");
	await a.comesTo("refused two", "Failed");
	const items = await a.offers("refused one");
	assert.ok(items.includes("Try again") && items.includes("Discard"), items.join());
	for (const item of ["Edit", "Delete", "React", "Reply"]) {
		assert.ok(!items.includes(item), `${item}: ${items}`);
	}
	await a.reload();
	await a.article("refused two").waitFor();
	assert.equal(await a.state("refused one"), "Failed");
	await a.choose("refused two", "Discard");
	await a.article("refused two").waitFor({ state: "detached" });
	await a.choose("refused one", "Try again");
	await a.comesTo("refused one", "Failed");
	await bob.call("DELETE", `/blocks/${alice.id}`);
	await a.choose("refused one", "Try again");
	await a.comesTo("refused one", "Saved");
	await a.reload();
	await a.article("refused one").waitFor();
	assert.equal(await a.article("refused two").count(), 0);
	await nothingMore(a, written, ["refused one"]);
}, LEFT));

test("a person who has deleted the account: the message fails, the past stays", scene(async (stage) => {
	const { a, bob } = await two(stage);
	await bob.call("POST", "/auth/account/delete", { password: "correct horse 1" });
	let last = 0;
	await until("a message fails", async () => { // what was deleted counts within seconds
		last += 1;
		await a.write(`are you gone? (${last})`);
		const state = await until("it is settled", async () => {
			const now = await a.state(`are you gone? (${last})`);
			return now !== "Sending" && now;
		});
		return state === "Failed";
	});
	assert.equal(await a.article("good day").count(), 1);
	await a.reload();
	await a.article("good day").waitFor();
	await a.comesTo(`are you gone? (${last})`, "Failed");
}, LEFT, [/status of 4(04|10)/]));

test("a group that one is removed from is left, and what was written there is not lost unseen", scene(async (stage) => {
	const [alice, bob, carol] = await stage.people(3);
	const group = await alice.makes("group", "The three", bob, carol);
	await alice.says(group, "hi all");
	const b = await stage.at(bob, group);
	await b.article("hi all").waitFor();
	await b.box.fill("half a sentence");
	await alice.call("DELETE", `/conversations/${group}/members/${bob.id}`);
	await until("the group is gone from the list", async () => await b.link("The three").count() === 0);
	await until("it is not offered to write there", async () =>
		await b.box.count() === 0 || await b.box.isDisabled() || await b.box.evaluate((box) => box.readOnly));
}, [/status of 404/]));
