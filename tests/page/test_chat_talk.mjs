/** People who talk: direct, in groups and channels; what they see of each other's messages. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { HANG_MS, startBrowser } from "./support/browser.mjs";
import { begins, LEFT, LINE_CUT, onScene, refused, textOf } from "./support/chat.mjs";
import { SOCKET } from "./support/line.mjs";
import { newName, until } from "./support/people.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

/** A number of unread messages in the title of a tab. */
const COUNTED = /\(\d+\)|\b\d+ unread/;

test("two people who know only each other's names", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const [a, b] = await Promise.all([stage.signedIn(alice), stage.signedIn(bob)]);
	await a.startWith(bob.name);
	assert.equal(await a.page.getByRole("heading", { level: 1, name: begins(bob.name) }).count(), 1);
	assert.match(await a.page.title(), begins(bob.name));
	assert.match(await a.page.url(), /#\//);
	assert.ok(await a.box.evaluate((box) => box === document.activeElement), "opening leads to the box");
	assert.ok(await a.log.evaluate((log) => log.tabIndex >= 0), "the log is scrolled by keys");

	await a.write("hello bob");
	await a.comesTo("hello bob", "Saved");
	await b.unread(alice.name, 1);
	assert.match(await b.page.title(), /\b1\b/);
	await b.open(alice.name);
	await a.comesTo("hello bob", "Read");
	const article = b.article("hello bob");
	assert.equal(await article.count(), 1);
	const told = await b.told("hello bob");
	assert.ok(told.includes(alice.name), told);
	assert.ok(told.indexOf(alice.name) < told.indexOf("hello bob"), "who, then what");
	const time = article.locator("time[datetime]");
	assert.ok(Math.abs(Date.parse(await time.first().getAttribute("datetime")) - Date.now()) < 3_600_000);
	assert.equal(await b.state("hello bob"), undefined, "a message of somebody else has no state");
	await until("nothing is unread", async () => !/unread/.test(await b.link(alice.name).ariaSnapshot()));
	await until("the title counts nothing", async () => !COUNTED.test(await b.page.title()));
	assert.match(await b.page.title(), begins(alice.name));

	await b.write("hello alice");
	await a.article("hello alice").waitFor();
	await b.comesTo("hello alice", "Read");
	for (const one of [a, b]) {
		assert.deepEqual(await one.texts(/hello (bob|alice)/), ["hello bob", "hello alice"]);
		assert.equal(await one.links().count(), 1);
	}
	const history = await alice.history(1 * (await alice.call("GET", "/conversations")).conversations[0].id);
	assert.deepEqual(history.map((one) => one.message), ["hello bob", "hello alice"]);
}));

test("both write at once: each message once, in one order", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const first = await alice.says(bob, "w-0");
	const [a, b] = await Promise.all([stage.at(alice, bob), stage.at(bob, alice)]);
	const writes = async (one, from) => {
		for (let n = from; n < from + 12; n += 1) {
			await one.box.fill(`w-${n}`);
			await one.box.press("Enter");
		}
	};
	await Promise.all([writes(a, 100), writes(b, 200)]);
	const order = async (one) => {
		const texts = await until("all are there", async () => {
			const all = await one.texts(/w-\d+/);
			return all.length >= 25 && all;
		});
		assert.equal(new Set(texts).size, texts.length, "one of them is there twice");
		return texts;
	};
	await until("all are saved", async () => (await alice.history(first.conversation)).length === 25);
	const saved = (await alice.history(first.conversation)).map((one) => one.message);
	for (const one of [a, b]) {
		await until("the order is that of the history", async () => JSON.stringify(await order(one)) === JSON.stringify(saved));
	}
}));

test("states of an own message in a direct conversation", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const line = await stage.line();
	const { conversation } = await bob.says(alice, "good day");
	const a = await stage.at(alice, bob, { line });
	await a.connection("Connected");
	line.cut(SOCKET);
	await a.write("while the line is cut");
	await a.comesTo("while the line is cut", "Sending");
	line.mend();
	await a.comesTo("while the line is cut", "Saved");
	const place = (await alice.history(conversation)).at(-1);
	await bob.reads(conversation, place.seq);
	await a.comesTo("while the line is cut", "Read");
	assert.equal(await a.state("good day"), undefined);
}, LINE_CUT));

test("Read by N in a group, and Read when all others have", scene(async (stage) => {
	const [alice, bob, carol] = await stage.people(3);
	const a = await stage.signedIn(alice);
	const name = newName("group");
	await a.makeGroup(name, bob.name, carol.name);
	await a.write("to both");
	await a.comesTo("to both", "Saved");
	const [{ id }] = (await bob.call("GET", "/conversations")).conversations;
	const { seq } = (await bob.history(id)).at(-1);
	await bob.reads(id, seq);
	await a.comesTo("to both", "Read by 1");
	const c = await stage.signedIn(carol);
	await c.open(name);
	await c.article("to both").waitFor();
	await a.comesTo("to both", "Read");
	await c.write("from carol");
	await a.article("from carol").waitFor();
	assert.ok((await a.told("from carol")).includes(carol.name));
	assert.equal(await a.state("from carol"), undefined);
}));

test("the list: newest first, unread counts, the open one is current", scene(async (stage) => {
	const [alice, bob, carol, dora] = await stage.people(4);
	for (const [one, count] of [[bob, 3], [carol, 1], [dora, 12]]) {
		await one.plant(alice, Array.from({ length: count }, (_, n) => `from ${one.name} ${n}`));
	}
	const a = await stage.signedIn(alice);
	await a.unread(bob.name, 3);
	await a.unread(carol.name, 1);
	await a.unread(dora.name, 12);
	assert.deepEqual(await a.names(), [dora.name, carol.name, bob.name]);
	for (const name of [bob.name, carol.name]) {
		const link = a.link(name);
		assert.match(await link.getAttribute("href"), /#\/\d+$/);
		const parts = await link.evaluate((node) => [...node.querySelectorAll("*")].some((one) =>
			/^\d+ unread$/.test(one.textContent.trim()) || /^\d+ unread$/.test(one.getAttribute("aria-label") ?? "")));
		assert.ok(parts, "the count stands in an element of its own");
	}
	await until("the title counts", async () => /\d/.test(await a.page.title()));
	await bob.says(alice, "one more");
	await a.unread(bob.name, 4);
	await until("bob is first", async () => (await a.names())[0] === bob.name);
	const current = () => a.list.locator("[aria-current]:not([aria-current=false])");
	assert.equal(await current().count(), 0);
	await a.open(carol.name);
	await until("carol is read", async () => !/unread/.test(await a.link(carol.name).ariaSnapshot()));
	await until("one is current", async () => await current().count() === 1);
	assert.match(await current().textContent(), new RegExp(carol.name));
	await a.open(dora.name);
	await until("dora is current", async () => await current().count() === 1
		&& (await current().textContent()).includes(dora.name));
	await a.write("an answer");
	await until("dora is first", async () => (await a.names())[0] === dora.name);
	await a.unread(bob.name, 4);
	// What is read elsewhere is read here.
	const [{ id, last_seq }] = (await alice.call("GET", "/conversations")).conversations.filter((one) => one.with?.id === bob.id);
	await alice.reads(id, last_seq);
	await until("bob is read", async () => !/unread/.test(await a.link(bob.name).ariaSnapshot()));
}));

test("what comes into the open conversation is read, what comes into another one is not", scene(async (stage) => {
	const [alice, bob, carol] = await stage.people(3);
	const first = await bob.says(alice, "good day");
	await carol.says(alice, "hello");
	const a = await stage.at(alice, bob);
	await bob.says(alice, "are you there?");
	await a.article("are you there?").waitFor();
	await until("bob hears of it", () => bob.heard("receipt", (one) => one.user === alice.id && one.read >= first.seq + 1).length);
	await carol.says(alice, "and you?");
	await a.unread(carol.name, 2);
	const [row] = (await alice.call("GET", "/conversations")).conversations.filter((one) => one.with?.id === carol.id);
	assert.equal(row.unread, 2);
}));

/**
 * Playwright makes each page look focused and visible. Here the pages say themselves what they are:
 * what Chromium would tell a tab behind another one or a window in the background.
 */
const away = (chat, what) => chat.page.evaluate((kind) => {
	const is = (name, value) => Object.defineProperty(document, name, { configurable: true, get: () => value });
	const here = kind === null;
	is("visibilityState", kind === "hidden" ? "hidden" : "visible");
	is("hidden", kind === "hidden");
	document.hasFocus = () => here;
	document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
	window.dispatchEvent(new Event(here ? "focus" : "blur"));
}, what);

describe("read means seen", () => {
	for (const kind of ["hidden", "without the focus"]) {
		test(`a page that is ${kind} reads nothing, and counts in its title`, scene(async (stage) => {
			const [alice, bob] = await stage.people(2);
			const first = await bob.says(alice, "good day");
			const a = await stage.at(alice, bob);
			await until("the first one is read", () => bob.heard("receipt", (one) => one.read >= first.seq).length);
			await away(a, kind);
			const second = await bob.says(alice, "are you there?");
			await a.article("are you there?").waitFor();
			await a.unread(bob.name, 1);
			await until("the title counts", async () => /\b1\b/.test(await a.page.title()));
			const row = async () => (await alice.call("GET", "/conversations")).conversations[0];
			assert.equal((await row()).read_seq, first.seq);
			await away(a, null);
			await until("it is read", async () => (await row()).read_seq === second.seq);
			await until("nothing is unread", async () => !/unread/.test(await a.link(bob.name).ariaSnapshot()));
		}));
	}

	test("a message that is not seen is a notification, once, if the user wants them; read, it goes", scene(async (stage) => {
		const [alice, bob] = await stage.people(2);
		await bob.says(alice, "good day");
		const a = await stage.at(alice, bob, { permissions: ["notifications"] });
		// Headless Chromium shows nothing: what the page asks for is noted.
		await a.page.evaluate(() => {
			const Shown = Notification;
			window.told = [];
			window.Notification = class extends Shown {
				constructor(title, options) {
					super(title, options);
					window.told.push({ title, body: options.body, is: this });
				}

				close() {
					window.told.find((one) => one.is === this).closed = true;
					super.close();
				}
			};
		});
		const told = () => a.page.evaluate(() => window.told.map(({ title, body, closed = false }) => [title, body, closed]));
		await away(a, "hidden");
		await bob.says(alice, "nobody asked for it");
		await a.article("nobody asked for it").waitFor();
		assert.deepEqual(await told(), []);
		await away(a, null);
		await a.button("Account").click();
		await a.page.getByRole("menuitemcheckbox", { name: "Notifications" }).click();
		await bob.says(alice, "in sight");
		await a.article("in sight").waitFor();
		assert.deepEqual(await told(), []);
		await away(a, "hidden");
		const last = await bob.says(alice, "are you there?");
		await until("it is told", async () => (await told()).length);
		assert.deepEqual(await told(), [[bob.name, "are you there?", false]]);
		await alice.reads(last.conversation, last.seq);
		await until("it goes when it is read elsewhere", async () => (await told())[0][2]);
		await bob.says(alice, "and now?");
		await until("it is told", async () => (await told()).length === 2);
		await a.page.evaluate(() => window.told[1].is.onclick());
		assert.deepEqual((await told())[1], [bob.name, "and now?", true]);
	}));

	test("a message below the visible part is not read before it is seen", scene(async (stage) => {
		const [alice, bob] = await stage.people(2);
		const old = await bob.plant(alice, Array.from({ length: 120 }, (_, n) => `old ${n}`));
		const { conversation, seq } = old.at(-1);
		await alice.reads(conversation, seq);
		const a = await stage.at(alice, bob);
		await a.article("old 119").waitFor();
		await a.log.hover();
		await a.page.mouse.wheel(0, -1500);
		await a.button("Jump to newest").waitFor();
		const next = await bob.says(alice, "below");
		await a.article("below").waitFor({ state: "attached" });
		await a.unread(bob.name, 1);
		const row = async () => (await alice.call("GET", "/conversations")).conversations[0];
		assert.equal((await row()).read_seq, seq);
		await a.button("Jump to newest").click();
		await until("it is read", async () => (await row()).read_seq === next.seq);
	}));
});

test("a person whom nobody knows is an alert, and the dialog stays", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const a = await stage.signedIn(alice);
	const nobody = newName("nobody");
	await a.newConversation("Person");
	await a.page.keyboard.type(nobody);
	await a.page.keyboard.press("Enter");
	await a.dialog.getByRole("alert").filter({ hasText: /\w+/, visible: true }).waitFor();
	assert.equal(await a.page.evaluate(() => document.activeElement.value), nobody, "what was typed stays, and has the focus");
	await a.page.keyboard.press("Control+A");
	await a.page.keyboard.type(bob.name.toUpperCase()); // the same name
	await a.page.keyboard.press("Enter");
	await a.region(bob.name).waitFor();
	await a.dialog.waitFor({ state: "detached" });
}, refused(404)));

test("Escape closes the dialog, and the focus goes back", scene(async (stage) => {
	const a = await stage.signedIn(await stage.person());
	await a.button("New conversation").focus();
	await a.page.keyboard.press("Enter");
	await a.dialog.waitFor();
	const tabs = await a.dialog.getByRole("tab").allInnerTexts();
	assert.deepEqual(tabs.map((one) => one.trim()), ["Person", "Group", "Channel"]);
	assert.equal(await a.dialog.getByRole("tab", { name: "Person", selected: true }).count(), 1);
	assert.ok(await a.page.evaluate(() => document.activeElement.matches("input, textarea")), "one types at once");
	await a.page.keyboard.press("Escape");
	await a.dialog.waitFor({ state: "detached" });
	assert.ok(await a.button("New conversation").evaluate((node) => node === document.activeElement));
}));

test("a channel is made by one and found by another", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const word = newName("harbour");
	const [a, b] = await Promise.all([stage.signedIn(alice), stage.signedIn(bob)]);
	let dialog = await a.newConversation("Channel");
	await a.button("Create channel", dialog).or(dialog.getByRole("textbox", { name: "Name", exact: true })).first().waitFor();
	const name = dialog.getByRole("textbox", { name: "Name", exact: true });
	if (await name.count() === 0) {
		await a.button("Create channel", dialog).click();
	}
	await name.fill(`Old ${word}`);
	await a.button("Create channel", dialog).click();
	await a.region(`Old ${word}`).waitFor();
	await a.write("welcome to the harbour");
	await a.comesTo("welcome to the harbour", "Saved");

	dialog = await b.newConversation("Channel");
	const find = dialog.getByLabel("Find a channel", { exact: true });
	await find.fill(word.slice(0, 14)); // the beginning of a word
	const join = dialog.getByRole("button", { name: `Join Old ${word}`, exact: true });
	await join.waitFor();
	await join.click();
	await b.region(`Old ${word}`).waitFor();
	await b.dialog.waitFor({ state: "detached" });
	await b.article("welcome to the harbour").waitFor();
	await b.write("here I am");
	await a.article("here I am").waitFor();
	assert.match(await a.log.textContent(), new RegExp(`${bob.name}[^]*joined`), "who joins is told in the log");
	// The same name again is refused, in the dialog.
	dialog = await b.newConversation("Channel");
	if (await dialog.getByRole("textbox", { name: "Name", exact: true }).count() === 0) {
		await b.button("Create channel", dialog).click();
	}
	await dialog.getByRole("textbox", { name: "Name", exact: true }).fill(`OLD ${word}`);
	await b.button("Create channel", dialog).click();
	await dialog.getByRole("alert").filter({ hasText: /\w+/, visible: true }).waitFor();
	assert.equal(await textOf(dialog.getByRole("textbox", { name: "Name", exact: true })), `OLD ${word}`);
}, refused(409)));

test("a group: unknown people are an alert, nothing is lost", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const a = await stage.signedIn(alice);
	const dialog = await a.newConversation("Group");
	await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("The four");
	const people = dialog.getByLabel("People", { exact: true });
	await people.fill(bob.name);
	await people.press("Enter");
	await dialog.getByText(bob.name, { exact: true }).first().waitFor();
	await people.fill(newName("nobody"));
	await people.press("Enter");
	await dialog.getByRole("alert").filter({ hasText: /\w+/, visible: true }).waitFor();
	assert.equal(await textOf(dialog.getByRole("textbox", { name: "Name", exact: true })), "The four");
	assert.ok(await dialog.getByText(bob.name, { exact: true }).count());
	await people.fill("");
	await a.button("Create group", dialog).click();
	await a.region("The four").waitFor();
	const [made] = (await bob.call("GET", "/conversations")).conversations;
	assert.deepEqual([made.kind, made.name, made.members], ["group", "The four", 2]);
}, refused(404)));

test("somebody is typing: in the region, not in the log", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.says(alice, "good day");
	const [a, b] = await Promise.all([stage.at(alice, bob), stage.at(bob, alice)]);
	await b.box.pressSequentially("I am typing this", { delay: 30 });
	const typing = a.region(bob.name).getByText(`${bob.name} is typing`);
	await typing.waitFor();
	assert.equal(await a.log.getByText("is typing").count(), 0);
	await b.box.press("Enter");
	await a.article("I am typing this").waitFor();
	await typing.waitFor({ state: "hidden" }); // what was typed has come
	await Promise.all([typing.waitFor(), b.box.pressSequentially("and then I stop", { delay: 300 })]);
	await typing.waitFor({ state: "hidden" });
}));

test("people are Online, or were last seen", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const { conversation } = await alice.says(bob, "good day");
	const [a, b] = await Promise.all([stage.at(alice, conversation), stage.at(bob, alice)]);
	const beside = (text) => a.region(bob.name).getByText(text).first().waitFor();
	await beside("Online");
	await b.context.close();
	await bob.leaves();
	await beside(/^Last seen /);
	const again = await stage.signedIn(bob);
	await beside("Online");
	await again.ready();
}, LEFT));

test("a display name stands beside the name, for others too", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.says(alice, "good day");
	const [a, b] = await Promise.all([stage.at(alice, bob), stage.signedIn(bob)]);
	await b.account("Profile");
	const box = b.dialog.getByRole("textbox", { name: "Display name", exact: true });
	await box.fill("Bob of the Hill");
	await b.button("Save", b.dialog).click();
	await until("it is saved", async () => (await bob.call("GET", "/auth/profile")).display_name === "Bob of the Hill");
	await a.reload();
	await a.region(bob.name).waitFor();
	await a.region(bob.name).getByText("Bob of the Hill").first().waitFor();
	assert.match(await a.link(bob.name).textContent(), new RegExp(`${bob.name}[^]*Bob of the Hill`));
	await b.reload();
	await b.ready();
	await b.account("Profile");
	assert.equal(await textOf(b.dialog.getByRole("textbox", { name: "Display name", exact: true })), "Bob of the Hill");
}, LEFT));
