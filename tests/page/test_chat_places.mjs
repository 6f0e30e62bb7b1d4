/** Addresses, tabs, devices, narrow screens: the same chat from several places. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { HANG_MS, startBrowser } from "./support/browser.mjs";
import { begins, LEFT, LINE_CUT, onScene, refused, textOf } from "./support/chat.mjs";
import { CALLS } from "./support/line.mjs";
import { newName, until } from "./support/people.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

const hashOf = (chat) => chat.page.evaluate(() => location.hash);
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Alice, who has two conversations. */
async function three(stage) {
	const [alice, bob, carol] = await stage.people(3);
	const first = await bob.says(alice, "hi from bob");
	const second = await carol.says(alice, "hi from carol");
	return { alice, bob, carol, ids: [first.conversation, second.conversation] };
}

// --- addresses ------------------------------------------------------------------------------------
test("each conversation has its address: Back, Forward, reload, a new tab", scene(async (stage) => {
	const { alice, bob, carol, ids } = await three(stage);
	const a = await stage.signedIn(alice);
	await a.open(bob.name);
	assert.equal(await hashOf(a), `#/${ids[0]}`);
	await a.open(carol.name);
	assert.equal(await hashOf(a), `#/${ids[1]}`);
	await a.page.goBack();
	await a.article("hi from bob").waitFor();
	assert.equal(await a.article("hi from carol").count(), 0);
	assert.match(await a.page.title(), begins(bob.name));
	await a.page.goForward();
	await a.article("hi from carol").waitFor();
	await a.reload();
	await a.article("hi from carol").waitFor();
	assert.equal(await hashOf(a), `#/${ids[1]}`);
	await a.page.goBack();
	await a.article("hi from bob").waitFor();
	await a.page.goBack();
	await until("no conversation is open", async () => await a.box.count() === 0);
	const other = await stage.tab(a, `/#/${ids[0]}`);
	await other.article("hi from bob").waitFor();
	await a.link(bob.name).click({ modifiers: ["ControlOrMeta"] }).catch(() => {}); // a link is a link
	const opened = await until("there is a third tab", () => a.context.pages()[2]);
	await opened.getByRole("article").filter({ hasText: "hi from bob" }).waitFor();
}, LEFT));

const NOWHERE = {
	"of other people": (ids) => `#/${ids.foreign}`,
	"that does not exist": () => "#/999999999",
	"of a number that none has": () => "#/0",
	"that is none": () => "#/<img src=x onerror=alert(1)>",
	"of a user who does not exist": () => "#/user/999999999",
	"with parts too many": (ids) => `#/${ids.own}/x/y`,
	"of another kind": () => "#/constructor",
	"beyond numbers": () => "#/99999999999999999999999",
};

describe("an address that leads nowhere is said, and the page goes on", () => {
	for (const [what, of] of Object.entries(NOWHERE)) {
		test(what, scene(async (stage) => {
			const { alice, bob, ids: [own] } = await three(stage);
			const [dora, emil] = await stage.people(2);
			const { conversation: foreign } = await dora.says(emil, "private words");
			const a = await stage.visit(`/${of({ own, foreign })}`);
			await a.signIn(alice);
			await a.link(bob.name).waitFor();
			if (what !== "with parts too many") {
				await until("nothing can be written there", async () => await a.box.count() === 0);
			}
			assert.doesNotMatch(await a.page.evaluate(() => document.body.textContent), /private words/);
			await a.open(bob.name);
			await a.article("hi from bob").waitFor();
		}, refused(400, 403, 404, 422)));
	}
});

test("an address waits for the sign-in", scene(async (stage) => {
	const { alice, ids } = await three(stage);
	const a = await stage.visit(`/#/${ids[1]}`);
	await a.signIn(alice);
	await a.article("hi from carol").waitFor();
}));

test("a direct conversation that does not exist yet", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const a = await stage.signedIn(alice);
	await a.startWith(bob.name);
	assert.equal(await a.articles().count(), 0);
	assert.deepEqual((await alice.call("GET", "/conversations")).conversations, []);
	await a.reload();
	await a.region(bob.name).waitFor();
	await a.write("the first one");
	await a.comesTo("the first one", "Saved");
	await a.link(bob.name).waitFor();
	const [{ id }] = (await alice.call("GET", "/conversations")).conversations;
	await a.reload();
	await a.article("the first one").waitFor();
	assert.equal(await a.links().count(), 1);
	await until("the address is that of the conversation", async () => await hashOf(a) === `#/${id}`);
}, LEFT));

test("a conversation with oneself", scene(async (stage) => {
	const alice = await stage.person();
	const a = await stage.signedIn(alice);
	await a.startWith(alice.name);
	await a.write("a note to myself");
	await until("it is saved", async () => ["Saved", "Read"].includes(await a.state("a note to myself")));
	assert.equal(await a.articles().count(), 1);
	await a.link(alice.name).waitFor();
	assert.doesNotMatch(await a.link(alice.name).ariaSnapshot(), /unread/);
}));

test("answers that come late do not land in another conversation", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const line = await stage.line();
	const { alice, bob, carol } = await three(stage);
	await bob.plant(alice, Array.from({ length: 120 }, (_, n) => `bob ${n}`));
	await carol.plant(alice, Array.from({ length: 120 }, (_, n) => `carol ${n}`));
	const a = await stage.signedIn(alice, { line });
	await a.link(carol.name).waitFor();
	line.slow(600);
	for (const name of [bob.name, carol.name, bob.name, carol.name]) {
		await a.link(name).click();
		await a.region(name).waitFor();
	}
	await until("those of carol are there", async () => (await a.texts(/carol \d+/)).length > 0);
	await a.log.hover();
	await a.page.mouse.wheel(0, -100_000);
	await a.link(bob.name).click();
	await a.region(bob.name).waitFor();
	await until("those of bob are there", async () => (await a.texts(/bob \d+/)).length > 0);
	await a.write("for bob");
	await a.comesTo("for bob", "Saved");
	assert.deepEqual(await a.texts(/carol \d+|hi from carol/), []);
	assert.equal((await carol.history((await carol.call("GET", "/conversations")).conversations[0].id)).length, 121);
}, LEFT));

// --- narrow screens -----------------------------------------------------------------------------------
test("on a phone: the list, then the conversation, and Back to the list", scene(async (stage) => {
	const { alice, bob, ids } = await three(stage);
	const a = await stage.signedIn(alice, PHONE);
	await a.link(bob.name).waitFor();
	assert.equal(await a.box.filter({ visible: true }).count(), 0);
	await a.link(bob.name).tap();
	await a.box.waitFor();
	await a.list.waitFor({ state: "hidden" });
	assert.equal(await hashOf(a), `#/${ids[0]}`);
	await a.page.screenshot({ path: "build/test-logs/page/chat-phone.png" });
	await a.box.fill("from a phone");
	await a.button("Send").tap();
	await a.comesTo("from a phone", "Saved");
	await a.page.goBack();
	await a.link(bob.name).waitFor();
	await a.box.waitFor({ state: "hidden" });
	await a.page.screenshot({ path: "build/test-logs/page/list-phone.png" });
	// Who comes by an address has a way to the list as well.
	await a.goto(`/#/${ids[1]}`);
	await a.reload();
	await a.article("hi from carol").waitFor();
	const back = a.page.getByRole("link", { name: /back|conversations/i }).or(a.page.getByRole("button", { name: /back|conversations/i }))
		.filter({ visible: true });
	await back.first().tap();
	await a.link(bob.name).waitFor();
	assert.ok(await a.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
}, LEFT));

// --- tabs ----------------------------------------------------------------------------------------------
test("two tabs of one user agree", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const { alice, bob, carol, ids } = await three(stage);
	const one = await stage.at(alice, bob);
	const two = await stage.tab(one, `/#/${ids[0]}`);
	await two.article("hi from bob").waitFor();
	await one.write("from the first tab");
	await two.article("from the first tab").waitFor();
	await two.comesTo("from the first tab", "Saved");
	await two.write("from the second tab");
	await one.article("from the second tab").waitFor();
	await bob.says(alice, "to both");
	for (const tab of [one, two]) {
		await tab.article("to both").waitFor();
		await until("each once, in order", async () => (await tab.texts(/hi from bob|from the \w+ tab|to both/)).join()
			=== "hi from bob,from the first tab,from the second tab,to both");
	}
	await two.choose("from the first tab", "Edit");
	await two.articles().getByRole("textbox").fill("edited in the second tab");
	await two.page.keyboard.press("Enter");
	await one.article("edited in the second tab").waitFor();
	await one.react("to both", "👍");
	await two.reaction("to both", "👍", 1).waitFor();
	assert.equal(await two.reaction("to both", "👍", 1).getAttribute("aria-pressed"), "true", "it is one's own in each tab");
	await carol.says(alice, "for the list");
	await one.unread(carol.name, 2);
	await two.unread(carol.name, 2);
	await two.open(carol.name);
	await until("what is read in one is read in the other", async () => !/unread/.test(await one.link(carol.name).ariaSnapshot()));
}, LEFT));

test("a tab that is closed while it sends: the other one sends it, once", { timeout: HANG_MS * 3 }, scene(async (stage) => {
	const line = await stage.line();
	const { alice, bob, ids } = await three(stage);
	const one = await stage.at(alice, bob, { line });
	const two = await stage.tab(one, `/#/${ids[0]}`);
	await two.article("hi from bob").waitFor();
	await two.connection("Connected");
	line.cut(CALLS);
	await one.write("left behind");
	await one.comesTo("left behind", "Sending");
	await until("it is kept", async () => (await two.kept()).includes("left behind"));
	await one.page.close({ runBeforeUnload: true });
	line.mend();
	await until("it has come", async () => (await bob.history(ids[0])).some((entry) => entry.message === "left behind"));
	await two.article("left behind").waitFor();
	await two.comesTo("left behind", "Saved");
	assert.equal(await two.article("left behind").count(), 1);
	assert.equal((await bob.history(ids[0])).filter((entry) => entry.message === "left behind").length, 1);
}, LINE_CUT, LEFT));

test("another user in another tab takes the browser over, and mixes nothing", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const { alice, bob } = await three(stage);
	const one = await stage.at(alice, bob);
	const two = await stage.tab(one, null);
	await one.box.fill("a draft of alice");
	await two.goto("/");
	await two.ready();
	await two.signOut();
	await one.signedOut();
	const eve = newName("eve");
	await two.signUp(eve);
	await until("the first tab is nobody's or the new user's", async () => !(await one.page.evaluate(() => document.body.textContent)).includes("hi from bob"));
	await one.reload();
	await one.ready();
	assert.equal(await one.links().count(), 0);
	assert.doesNotMatch(await one.kept(), /a draft of alice/);
}, LEFT, LINE_CUT));

// --- devices -----------------------------------------------------------------------------------------------
test("a session that is ended elsewhere: the sign-in, and what was written is kept", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const line = await stage.line();
	const { alice, bob, ids } = await three(stage);
	const a = await stage.at(alice, bob, { line });
	await a.connection("Connected");
	line.cut(CALLS);
	await a.write("not sent yet");
	await a.comesTo("not sent yet", "Sending");
	await until("it is kept", async () => (await a.kept()).includes("not sent yet"));
	await alice.call("DELETE", "/auth/sessions");
	line.mend();
	await a.signedOut();
	assert.doesNotMatch(await a.page.evaluate(() => document.body.textContent), /hi from bob/);
	await a.signIn(alice);
	await until("it has come", async () => (await bob.history(ids[0])).length === 2);
	await a.region(bob.name).waitFor();
	await a.comesTo("not sent yet", "Saved");
	assert.equal(await a.article("not sent yet").count(), 1);
}, LINE_CUT, refused(401)));

test("a session that is ended while the page is idle shows the sign-in by itself", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const { alice, bob } = await three(stage);
	const a = await stage.at(alice, bob);
	const other = await stage.tab(a);
	await other.ready();
	await alice.call("DELETE", "/auth/sessions");
	await a.signedOut();
	await other.signedOut();
	for (const one of [a, other]) {
		assert.doesNotMatch(await one.page.evaluate(() => document.body.textContent), /hi from bob/);
		assert.equal(await one.dialog.count(), 0);
	}
}, refused(401), LINE_CUT));

test("Devices: all of them, this one named; others are signed out", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const alice = await stage.person();
	const [one, two, three_] = await Promise.all([1, 2, 3].map(() => stage.signedIn(alice)));
	await one.account("Devices");
	const items = one.dialog.getByRole("listitem");
	await until("all are there", async () => await items.count() === 4); // and the session of the test
	assert.equal(await items.filter({ hasText: "This device" }).count(), 1);
	assert.equal(await one.button("Sign out", items).count(), 4, "each has its button");
	await one.button("Sign out", items.filter({ hasNotText: "This device" }).filter({ hasText: /Chrom/ })).first().click();
	await until("one is gone", async () => await items.count() === 3);
	await until("one of the others is signed out", async () =>
		await two.button("Sign in").count() + await three_.button("Sign in").count() === 1);
	await one.button("Sign out all other devices", one.dialog).click();
	const sure = one.page.getByRole("alertdialog");
	await until("it is asked or done", async () => await sure.count() || await items.count() === 1);
	if (await sure.count()) {
		await sure.getByRole("button").filter({ hasNotText: "Cancel" }).first().click();
	}
	await Promise.all([two.signedOut(), three_.signedOut()]);
	await until("only this one is left", async () => await items.count() === 1);
	await one.page.keyboard.press("Escape");
	await one.dialog.waitFor({ state: "detached" });
	await one.ready();
}, refused(401), LINE_CUT));

test("the profile by the keyboard: Save, and Escape that changes nothing", scene(async (stage) => {
	const alice = await stage.person();
	const a = await stage.signedIn(alice);
	await a.button("Account").focus();
	await a.page.keyboard.press("Enter");
	await a.page.getByRole("menu").waitFor();
	const items = (await a.page.getByRole("menuitem").allInnerTexts()).map((one) => one.trim());
	for (const item of ["Profile", "Devices", "Sign out"]) {
		assert.ok(items.includes(item), `${item}: ${items}`);
	}
	await a.page.getByRole("menuitem", { name: "Profile", exact: true }).focus();
	await a.page.keyboard.press("Enter");
	const box = a.dialog.getByRole("textbox", { name: "Display name", exact: true });
	await box.fill("never saved");
	await a.page.keyboard.press("Escape");
	await a.dialog.waitFor({ state: "detached" });
	assert.equal((await alice.call("GET", "/auth/profile")).display_name, null);
	await a.account("Profile");
	assert.equal(await textOf(box), "");
	await box.fill("a\u202eb"); // refused: it would turn the text of others
	await a.button("Save", a.dialog).click();
	await a.dialog.getByRole("alert").filter({ hasText: /\w+/, visible: true }).waitFor();
	await box.fill("Alice");
	await box.press("Enter");
	await until("it is saved", async () => (await alice.call("GET", "/auth/profile")).display_name === "Alice");
}, refused(422)));

test("groups change while one looks: renamed, joined, made admin, left", scene(async (stage) => {
	const [alice, bob, carol] = await stage.people(3);
	const group = await alice.makes("group", "The old name", bob);
	await alice.says(group, "hi all");
	const b = await stage.at(bob, group);
	await b.article("hi all").waitFor();
	await alice.call("PATCH", `/conversations/${group}`, { name: "The new name" });
	await b.region("The new name").waitFor();
	await b.link("The new name").waitFor();
	assert.match(await b.page.title(), /^The new name/);
	await alice.call("POST", `/conversations/${group}/members`, { users: [carol.id] });
	await b.log.getByText(new RegExp(`${carol.name}`)).first().waitFor();
	await carol.says(group, "I am new here");
	await b.article("I am new here").waitFor();
	assert.ok((await b.told("I am new here")).includes(carol.name));
	await carol.call("POST", `/conversations/${group}/leave`);
	await b.log.getByText(new RegExp(`${carol.name} (has )?left`)).first().waitFor();
	assert.equal(await b.articles().count(), 2, "articles are messages");
}));
