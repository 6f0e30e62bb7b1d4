/** The chat without a mouse, without sight, with other colours, sizes and directions. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { axe, HANG_MS, SHOTS, startBrowser } from "./support/browser.mjs";
import { LEFT, LINE_CUT, onScene, textOf } from "./support/chat.mjs";
import { newName, PASSWORD, until } from "./support/people.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

// --- axe, in every view -----------------------------------------------------------------------------
const LOOKS = {
	"light": { colorScheme: "light", viewport: { width: 1440, height: 900 } },
	"dark": { colorScheme: "dark", viewport: { width: 1440, height: 900 } },
	"dark 320 px": { colorScheme: "dark", viewport: { width: 320, height: 640 } },
	"light 200 % zoom": { colorScheme: "light", viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 },
	"light tablet, touch": { colorScheme: "light", viewport: { width: 820, height: 1180 }, hasTouch: true },
};

/** Somebody who has all kinds of conversations and messages. */
async function rich(stage) {
	const [alice, bob, carol] = await stage.people(3);
	await bob.call("PATCH", "/auth/profile", { display_name: "Bob of the Hill", about: "about bob" });
	const group = await alice.makes("group", "The three", bob, carol);
	await alice.makes("channel", `Channel ${newName()}`);
	await carol.says(group, "from carol");
	await alice.says(group, "an answer", { replyTo: 2 });
	await carol.says(alice, "unread words");
	const { conversation } = await bob.says(alice, "hello https://example.com/x");
	await alice.says(bob, "an own one");
	const client = await bob.client();
	await client.react({ conversation, seq: 2, reaction: "👍" }).saved;
	await bob.says(alice, "to be changed");
	await client.edit({ conversation, seq: 3, text: "has been changed" }).saved;
	await bob.says(alice, "to be deleted");
	await client.delete({ conversation, seq: 4 }).saved;
	return { alice, bob, carol, group, conversation };
}

/** Each view and dialog: how to get there from the conversation with bob, and back. */
const escape = async (chat) => {
	await chat.page.keyboard.press("Escape");
	await until("it is closed", async () => await chat.dialog.count() + await chat.page.getByRole("menu").count()
		+ await chat.page.getByRole("alertdialog").count() === 0);
};
const onList = (open) => async (chat) => {
	await chat.goto("/#/");
	await chat.button("New conversation").waitFor();
	await open(chat);
};
const VIEWS = {
	"the list": onList(async (chat) => chat.links().first().waitFor()),
	"new conversation: Person": onList(async (chat) => chat.newConversation("Person")),
	"new conversation: Group": onList(async (chat) => chat.newConversation("Group")),
	"new conversation: Channel": onList(async (chat) => chat.newConversation("Channel")),
	"the menu Account": onList(async (chat) => {
		await chat.button("Account").click();
		await chat.page.getByRole("menu").waitFor();
	}),
	"Profile": onList(async (chat) => {
		await chat.account("Profile");
		await chat.dialog.getByRole("textbox", { name: "Display name" }).waitFor();
	}),
	"Devices": onList(async (chat) => {
		await chat.account("Devices");
		await chat.dialog.getByText("This device").waitFor();
	}),
	"a conversation": async (chat, { conversation }) => {
		await chat.goto(`/#/${conversation}`);
		await chat.article("has been changed").waitFor();
	},
	"the menu of a message": async (chat) => {
		await (await chat.more("an own one")).waitFor();
	},
	"the reactions to choose from": async (chat) => {
		await chat.choose("has been changed", "React");
	},
	"a reply": async (chat) => {
		await chat.choose("has been changed", "Reply");
	},
	"an editor": async (chat) => {
		await chat.choose("an own one", "Edit");
		await chat.articles().getByRole("textbox").waitFor();
	},
	"the question whether to delete": async (chat) => {
		await chat.choose("an own one", "Delete");
		await chat.page.getByRole("alertdialog").waitFor();
	},
	"an alert": async (chat) => {
		await chat.box.fill("x".repeat(16_385));
		await chat.box.press("Enter");
		await chat.page.getByRole("alert").filter({ visible: true, hasText: /\w/ }).first().waitFor();
	},
	"a group": async (chat, { group }) => {
		await chat.goto(`/#/${group}`);
		await chat.article("an answer").waitFor();
	},
};

describe("axe finds nothing", () => {
	for (const [look, options] of Object.entries(LOOKS)) {
		test(look, { timeout: HANG_MS * 4 }, scene(async (stage) => {
			const people = await rich(stage);
			const chat = await stage.visit("/", { reducedMotion: "reduce", ...options });
			const found = [];
			const check = async (view) => {
				const name = `${SHOTS}/chat-${look}-${view}`.replace(/[ :%,]+/g, "-");
				await chat.page.screenshot({ path: `${name}.png` });
				found.push(...(await axe(chat.page)).map((one) => `${view}: ${one}`));
				if (await chat.page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) {
					found.push(`${view}: wider than the window`);
				}
			};
			await chat.name.waitFor();
			await check("sign in");
			await chat.signIn(people.alice);
			for (const [view, go] of Object.entries(VIEWS)) {
				await go(chat, people);
				await check(view);
				await escape(chat);
			}
			assert.deepEqual(found, []);
		}));
	}

	test("a page without anything, and one without a line", { timeout: HANG_MS * 2 }, scene(async (stage) => {
		const line = await stage.line();
		const chat = await stage.visit("/", { line });
		await chat.signUp(newName());
		assert.deepEqual(await axe(chat.page), []);
		await chat.page.screenshot({ path: `${SHOTS}/chat-empty.png` });
		line.cut();
		await chat.connection("Connecting…");
		assert.deepEqual(await axe(chat.page), []);
	}, LINE_CUT));
});

// --- by keys -----------------------------------------------------------------------------------------------
/** Where the focus is: its role, its name by Chromium's own reckoning, and whether one sees it. */
async function stop(chat) {
	const session = await chat.context.newCDPSession(chat.page);
	const { result } = await session.send("Runtime.evaluate", { expression: "document.activeElement" });
	const { nodes } = await session.send("Accessibility.getPartialAXTree", { objectId: result.objectId, fetchRelatives: false });
	await session.detach();
	const seen = await chat.page.evaluate(() => {
		const one = document.activeElement;
		const ring = (node) => {
			const style = getComputedStyle(node);
			return style.outlineStyle !== "none" && style.outlineWidth !== "0px" || style.boxShadow !== "none";
		};
		const { width, height } = one.getBoundingClientRect();
		// A box may leave its ring to the frame round it.
		return { ring: ring(one) || one.parentElement && ring(one.parentElement) || one.parentElement?.parentElement && ring(one.parentElement.parentElement),
			size: width * height, body: one === document.body };
	});
	return { role: nodes[0].role?.value, name: nodes[0].name?.value ?? "", ...seen };
}

/** Presses Tab until it is there; what it has passed. */
async function tabTo(chat, role, name, key = "Tab", most = 60) {
	const passed = [];
	for (let steps = 0; steps < most; steps += 1) {
		await chat.page.keyboard.press(key);
		const at = await stop(chat);
		passed.push(`${at.role} ${at.name}`);
		if (!at.body) {
			assert.ok(at.ring, `one does not see that ${at.role} "${at.name}" has the focus`);
			assert.ok(at.name, `a ${at.role} without a name has the focus`);
		}
		if (at.role === role && (name instanceof RegExp ? name.test(at.name) : at.name === name)) {
			return passed;
		}
	}
	return assert.fail(`Tab does not get to ${role} ${name}: ${passed.join(", ")}`);
}

test("a whole chat by the keyboard alone", { timeout: HANG_MS * 3 }, scene(async (stage) => {
	const bob = await stage.person();
	const chat = await stage.visit();
	const { keyboard } = chat.page;
	await chat.name.waitFor();
	if (!await chat.name.evaluate((node) => node === document.activeElement)) {
		await tabTo(chat, "textbox", "Name");
	}
	const name = newName();
	await keyboard.type(name);
	await tabTo(chat, "textbox", "Password");
	await keyboard.type(PASSWORD);
	await tabTo(chat, "button", "Create account");
	await keyboard.press("Enter");
	await chat.ready();
	await tabTo(chat, "button", "New conversation");
	await keyboard.press("Enter");
	await chat.dialog.waitFor();
	await keyboard.type(bob.name);
	await keyboard.press("Enter");
	await chat.region(bob.name).waitFor();
	await until("the box has the focus", () => chat.box.evaluate((node) => node === document.activeElement));
	await keyboard.type("by keys alone");
	await keyboard.press("Enter");
	await chat.comesTo("by keys alone", "Saved");
	const me = await bob.call("GET", `/auth/users?name=${name}`);
	await bob.says(me, "an answer");
	await chat.article("an answer").waitFor();
	// One Shift+Tab or a few lead to the newest message's button.
	await tabTo(chat, "button", "More…", "Shift+Tab", 8);
	await keyboard.press("Enter");
	await chat.page.getByRole("menu").waitFor();
	const items = (await chat.page.getByRole("menuitem").allInnerTexts()).map((one) => one.trim());
	for (let n = 0; n < items.indexOf("React"); n += 1) {
		await keyboard.press("ArrowDown");
	}
	await keyboard.press("Enter");
	// The buttons: arrows or Tab lead to the first one, if it has not the focus.
	await until("a reaction has the focus", async () => {
		if (/👍/u.test((await stop(chat)).name)) {
			return true;
		}
		await keyboard.press("Tab");
		return false;
	});
	await keyboard.press("Enter");
	const reacted = await until("there is a reaction", () => chat.articles().getByRole("button", { name: /^👍 1/u }).count());
	assert.equal(reacted, 1);
	assert.ok(!(await stop(chat)).body, "the focus is not lost");
	await tabTo(chat, "textbox", "Message");
	await keyboard.type("and on");
	await keyboard.press("Enter");
	await chat.comesTo("and on", "Saved");
	await tabTo(chat, "button", "Account", "Shift+Tab");
	await keyboard.press("Enter");
	await chat.page.getByRole("menu").waitFor();
	await keyboard.press("End");
	assert.equal((await stop(chat)).name, "Sign out");
	await keyboard.press("Enter");
	await chat.signedOut();
}));

test("from the top to the box there are not forty stops; from the box to the newest message few", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	for (let n = 0; n < 30; n += 1) {
		await alice.makes("group", `Group ${n}`);
	}
	const saved = await bob.plant(alice, Array.from({ length: 60 }, (_, n) => `message ${n} https://example.com/${n}`));
	await alice.reads(saved[0].conversation, 60);
	await until("all is read", async () => (await alice.call("GET", `/conversations/${saved[0].conversation}`)).unread === 0);
	const chat = await stage.at(alice, bob);
	await chat.article("message 59").waitFor();
	await chat.page.evaluate(() => {
		document.activeElement.blur();
		getSelection().removeAllRanges();
		const top = document.createElement("span"); // where Tab begins: at the top
		top.tabIndex = -1;
		document.body.prepend(top);
		top.focus();
		top.remove();
	});
	await chat.page.keyboard.press("Tab");
	if (/^skip/i.test((await stop(chat)).name)) { // leads past the list
		await chat.page.keyboard.press("Enter");
	}
	if ((await stop(chat)).name !== "Message") {
		await tabTo(chat, "textbox", "Message", "Tab", 40);
	}
	const back = await tabTo(chat, "button", "More…", "Shift+Tab", 10);
	assert.ok(back.length <= 6, back.join(", "));
	assert.ok(await chat.article("message 59").evaluate((node) => node.contains(document.activeElement)), "it is that of the newest");
}));

// --- what a screen reader says ---------------------------------------------------------------------------------
test("a new message is said once, politely, who first; old pages and states are not", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob, carol] = await stage.people(3);
	const old = await bob.plant(alice, Array.from({ length: 260 }, (_, n) => `old-${n}`));
	const { conversation } = old[0];
	await alice.reads(conversation, 260);
	await carol.says(alice, "elsewhere");
	const chat = await stage.at(alice, bob);
	await chat.article("old-259").waitFor();
	const clear = () => chat.page.evaluate(() => { window.announced.length = 0; });
	const said = async (text) => (await chat.announced()).filter((one) => one.text.includes(text));
	assert.deepEqual(await said("old-"), [], "opening reads nothing out");
	await clear();
	await chat.log.hover();
	await chat.page.mouse.wheel(0, -100_000);
	await until("an older page has come", async () => (await chat.texts(/old-\d+/)).length > 60);
	await until("it has", async () => await chat.article("old-200").count());
	assert.deepEqual(await said("old-"), [], "nor do older pages");
	await chat.button("Jump to newest").click();
	await clear();
	await bob.says(alice, "news of the day");
	await until("it is said", async () => (await said("news of the day")).length);
	await chat.article("news of the day").waitFor();
	await bob.says(alice, "a second one");
	await until("it is said", async () => (await said("a second one")).length);
	for (const text of ["news of the day", "a second one"]) {
		const all = await said(text);
		assert.equal(all.length, 1, JSON.stringify(all));
		assert.equal(all[0].live, "polite");
		const at = all[0].text;
		assert.ok(at.indexOf(bob.name) >= 0 && at.indexOf(bob.name) < at.indexOf(text), `who, then what: ${at}`);
		assert.ok(!/\d\d?:\d\d/.test(at.slice(0, at.indexOf(text))), `the time comes last: ${at}`);
		assert.ok(at.length < 200, at);
	}
	await clear();
	await chat.write("an own one");
	await chat.comesTo("an own one", "Saved");
	await bob.reads(conversation, 263);
	await chat.comesTo("an own one", "Read");
	const client = await bob.client();
	await client.react({ conversation, seq: 262, reaction: "👍" }).saved;
	await chat.reaction("a second one", "👍", 1).waitFor();
	const states = (await chat.announced()).filter((one) => /Sending|Saved|\bRead\b|👍/u.test(one.text));
	assert.deepEqual(states, [], "states and reactions are not read out");
	assert.ok((await said("an own one")).length <= 1);
}));

test("the tree that a screen reader walks: landmarks, one heading of the first level, names everywhere", scene(async (stage) => {
	const { alice, conversation, bob } = await rich(stage);
	const chat = await stage.at(alice, conversation);
	await chat.article("has been changed").waitFor();
	assert.equal(await chat.page.getByRole("heading", { level: 1 }).count(), 1);
	assert.equal(await chat.list.count(), 1);
	assert.equal(await chat.region(bob.name).count(), 1);
	assert.equal(await chat.log.count(), 1);
	const { nodes } = await (await chat.context.newCDPSession(chat.page)).send("Accessibility.getFullAXTree");
	const unnamed = nodes.filter((node) => !node.ignored && ["button", "link", "textbox", "dialog", "menuitem", "tab", "img", "image", "region", "navigation", "article"].includes(node.role?.value)
		&& !node.name?.value?.trim()).map((node) => node.role.value);
	assert.deepEqual(unnamed.filter((role) => role !== "article"), []);
	const told = await chat.told("has been changed");
	assert.match(told, /edited/);
	assert.equal(await chat.article("has been changed").locator("time[datetime]").count() > 0, true);
	assert.ok(await chat.log.evaluate((log) => log.tagName !== "UL" && log.tagName !== "OL"), "the log is a container");
}));

// --- colours, motion, sizes, directions ----------------------------------------------------------------------
test("with forced colours one sees the current link, the focus and what is pressed", scene(async (stage) => {
	const { alice, bob, conversation } = await rich(stage);
	const chat = await stage.at(alice, conversation, { forcedColors: "active" });
	await chat.article("has been changed").waitFor();
	await chat.react("has been changed", "🎉").catch(() => chat.react("has been changed", "👍"));
	const seen = (locator) => locator.evaluate((node) => {
		const style = getComputedStyle(node);
		return style.outlineStyle !== "none" && style.outlineWidth !== "0px" || ["Top", "Left", "Bottom", "Right"].some((side) =>
			style[`border${side}Style`] !== "none" && parseFloat(style[`border${side}Width`]) > 0) || style.forcedColorAdjust === "none";
	});
	assert.ok(await seen(chat.link(bob.name)), "the current link differs by more than a colour of ours");
	assert.ok(await seen(chat.articles().locator("button[aria-pressed=true]").first()));
	await chat.box.focus();
	await tabTo(chat, "button", "Send");
	await chat.page.screenshot({ path: `${SHOTS}/chat-forced-colours.png` });
}));

test("nothing moves for those who do not want it", scene(async (stage) => {
	const { alice, conversation } = await rich(stage);
	const chat = await stage.at(alice, conversation, { reducedMotion: "reduce" });
	await chat.article("has been changed").waitFor();
	const moving = () => chat.page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
		const style = getComputedStyle(one);
		const moves = (durations) => durations.split(", ").some((it) => parseFloat(it) > 0.001);
		return moves(style.transitionDuration) && style.transitionProperty !== "none" || style.animationName !== "none" && moves(style.animationDuration)
			|| style.scrollBehavior === "smooth";
	}).map((one) => `${one.tagName}.${one.className}`));
	assert.deepEqual(await moving(), []);
	await (await chat.more("an own one")).waitFor();
	assert.deepEqual(await moving(), []);
	await chat.page.keyboard.press("Escape");
	await chat.newConversation("Person");
	assert.deepEqual(await moving(), []);
}));

test("larger letters of the reader: all of it can be read and used", scene(async (stage) => {
	const { alice, conversation } = await rich(stage);
	const chat = await stage.at(alice, conversation, { viewport: { width: 1024, height: 768 } });
	const session = await chat.context.newCDPSession(chat.page);
	const size = () => chat.article("has been changed").evaluate((node) => parseFloat(getComputedStyle(node.querySelector("p, [dir=auto]") ?? node).fontSize));
	const before = await size();
	await session.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
	await until("the letters are larger", async () => await size() >= before * 1.8);
	assert.ok(await chat.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	await chat.write("in large letters");
	await chat.comesTo("in large letters", "Saved");
	await chat.page.screenshot({ path: `${SHOTS}/chat-large-letters.png` });
}));

test("letters are never smaller than one types without zooming; targets of a finger are large", scene(async (stage) => {
	const { alice, conversation } = await rich(stage);
	const chat = await stage.at(alice, conversation, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
	await chat.article("has been changed").waitFor();
	assert.ok(await chat.box.evaluate((box) => parseFloat(getComputedStyle(box).fontSize) >= 16));
	const small = await chat.page.evaluate(() => {
		const reach = 21; // of a finger of 44 px, from the middle
		const hits = (one, x, y) => one.contains(document.elementFromPoint(x, y)) || document.elementFromPoint(x, y)?.control === one;
		return [...document.querySelectorAll("button, [role=button], nav a, input, textarea")]
			.filter((one) => one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()])
			.filter(([, { width, height, bottom, top }]) => width && height && bottom > 0 && top < innerHeight)
			.filter(([one, { left, top, width, height }]) => {
				const [x, y] = [left + width / 2, top + height / 2];
				return !(height > 43.5 || hits(one, x, y - reach) && hits(one, x, y + reach))
					|| !(width > 43.5 || hits(one, x - reach, y) && hits(one, x + reach, y));
			}).map(([one, { width, height }]) => `${one.getAttribute("aria-label") ?? one.textContent.trim()}: ${Math.round(width)} x ${Math.round(height)}`);
	});
	assert.deepEqual(small, []);
}));

test("from right to left: the page turns round and does not fall apart", scene(async (stage) => {
	const { alice, conversation } = await rich(stage);
	const chat = await stage.at(alice, conversation);
	await chat.article("has been changed").waitFor();
	await chat.page.evaluate(() => { document.documentElement.dir = "rtl"; });
	const [list, box] = [await chat.list.boundingBox(), await chat.box.boundingBox()];
	assert.ok(list.x > box.x, "the list is on the right");
	assert.ok(await chat.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	await chat.write("שלום");
	await chat.comesTo("שלום", "Saved");
	await (await chat.more("שלום")).waitFor();
	const menu = await chat.page.getByRole("menu").boundingBox();
	assert.ok(menu.x >= 0 && menu.x + menu.width <= 1440);
	await chat.page.screenshot({ path: `${SHOTS}/chat-rtl.png` });
	await chat.page.keyboard.press("Escape");
	assert.equal(await textOf(chat.box), "");
}));

test("two windows, one small: what was opened in one size works in the other", scene(async (stage) => {
	const { alice, bob, conversation } = await rich(stage);
	const chat = await stage.at(alice, conversation);
	await chat.article("has been changed").waitFor();
	await chat.box.fill("half a sentence");
	await chat.page.setViewportSize({ width: 320, height: 640 });
	await chat.box.waitFor();
	assert.equal(await textOf(chat.box), "half a sentence");
	assert.ok(await chat.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	await chat.page.setViewportSize({ width: 1440, height: 900 });
	await chat.link(bob.name).waitFor();
	assert.equal(await textOf(chat.box), "half a sentence");
}, LEFT));
