/** The dialogs and menus of the chat page in Chromium, before the running services. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";

import { deviceName } from "../../web/chat/dialogs/device.js";
import { plain } from "../../web/chat/parts/plain.js";
import { axe, HANG_MS, onPage, ORIGIN, SHOTS, startBrowser } from "./support/browser.mjs";

const PASSWORD = "correct horse 1";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1";
const REFUSED = [/status of 4\d\d/];
const AWAY = [/ERR_(INTERNET_DISCONNECTED|FAILED)/, /^failed: /];
const LONG = "n".repeat(65);

let browser;
before(async () => {
	browser = await startBrowser();
}, { timeout: HANG_MS });
after(() => browser?.close());

// --- people ---------------------------------------------------------------------------
const fresh = (prefix) => `${prefix}-${randomBytes(5).toString("hex")}`;

async function rest(token, method, path, body, heads = {}) {
	const answer = await fetch(ORIGIN + path, {
		method, body: body && JSON.stringify(body),
		headers: { ...body && { "Content-Type": "application/json" }, ...token && { Authorization: `Bearer ${token}` }, ...heads },
	});
	const text = await answer.text();
	return { status: answer.status, ...text && JSON.parse(text) };
}

async function register(prefix = "person", heads) {
	const name = fresh(prefix);
	const answer = await rest(null, "POST", "/auth/register", { name, password: PASSWORD }, heads);
	assert.equal(answer.status, 201);
	return { name, id: answer.user.id, token: answer.token };
}

const login = (name, password = PASSWORD, heads) => rest(null, "POST", "/auth/login", { name, password }, heads);

async function conversation(user, kind, name, users = []) {
	const made = await rest(user.token, "POST", "/conversations", { kind, name, users: users.map(({ id }) => id) });
	assert.equal(made.status, 201);
	return made;
}

const membersOf = async (user, id) => (await rest(user.token, "GET", `/conversations/${id}/members`)).members;

/** A page on which `user` is signed in, at `address`. */
function onChat(user, look, { expected = [], address = "/", ...options } = {}) {
	return onPage(browser, null, options, async (page) => {
		await page.goto(`/#${address}`);
		await page.getByRole("textbox", { name: "Name" }).fill(user.name);
		await page.getByLabel("Password").fill(user.password ?? PASSWORD);
		await page.getByRole("button", { name: "Sign in" }).click();
		// On a narrow screen an open conversation hides it.
		await page.getByText("Connected", { exact: true }).waitFor({ state: "attached" });
		await look(page);
	}, expected);
}

// --- finding one's way on the page -------------------------------------------------------
const dialogOf = (page, name) => page.getByRole("dialog", name ? { name, exact: true } : {});
const hasFocus = (locator) => locator.evaluate((node) => node === document.activeElement);
const box = (dialog, name) => dialog.getByRole("textbox", { name, exact: true });
const button = (within, name) => within.getByRole("button", { name, exact: true });
const gone = (dialog) => dialog.waitFor({ state: "detached" });
const alertOf = (dialog, text) => dialog.getByRole("alert").filter({ hasText: text }).waitFor();

async function openNew(page, tab = "Person") {
	await button(page, "New conversation").click();
	const dialog = dialogOf(page, "New conversation");
	await dialog.getByRole("tab", { name: tab }).click();
	return dialog;
}

async function openAccount(page, item) {
	await button(page, "Account").click();
	await page.getByRole("menuitem", { name: item, exact: true }).click();
}

async function openDetails(page, name) {
	await button(page, "Details").click();
	const dialog = dialogOf(page, name);
	await dialog.waitFor();
	return dialog;
}

// --- a new conversation ------------------------------------------------------------------
test("the dialog of a new conversation: tabs, focus, ways out", async () => onChat(await register(), async (page) => {
	const opener = button(page, "New conversation");
	await opener.focus();
	await page.keyboard.press("Enter");
	const dialog = dialogOf(page, "New conversation");
	assert.ok(await hasFocus(box(dialog, "Name")));
	const tabs = dialog.getByRole("tab");
	assert.deepEqual(await tabs.allInnerTexts(), ["Person", "Group", "Channel"]);
	const chosen = async (name) => {
		assert.equal(await dialog.getByRole("tab", { selected: true }).innerText(), name);
		assert.equal(await dialog.getByRole("tabpanel").count(), 1);
		assert.ok(await dialog.getByRole("tabpanel", { name }).isVisible());
	};
	await chosen("Person");
	await page.keyboard.press("Shift+Tab");
	for (const [key, name] of [["ArrowRight", "Group"], ["ArrowRight", "Channel"], ["ArrowRight", "Person"],
		["ArrowLeft", "Channel"], ["Home", "Person"], ["End", "Channel"], ["ArrowLeft", "Group"]]) {
		await page.keyboard.press(key);
		await chosen(name);
		assert.ok(await hasFocus(dialog.getByRole("tab", { name })), `${key}: ${name}`);
	}
	await page.keyboard.press("Escape");
	await gone(dialog);
	assert.ok(await hasFocus(opener));
	await page.keyboard.press("Enter");
	await button(dialog, "Close").click();
	await gone(dialog);
	assert.ok(await hasFocus(opener));
}));

test("Enter in Person opens the conversation, which exists from its first message on", async () => {
	const [alice, bob] = [await register(), await register("bob")];
	await onChat(alice, async (page) => {
		const dialog = await openNew(page);
		await box(dialog, "Name").fill(` ${bob.name.toUpperCase()} `);
		await page.keyboard.press("Enter");
		await gone(dialog);
		await page.getByRole("region", { name: bob.name }).waitFor();
		assert.match(page.url(), new RegExp(`#/user/${bob.id}$`));
		await page.waitForFunction(() => document.activeElement.matches("textarea"));
		assert.deepEqual((await rest(alice.token, "GET", "/conversations")).conversations, []);
	});
});

test("what is refused in a new conversation is said, and the text stays", async () => {
	const [alice, taken] = [await register(), fresh("Channel")];
	await conversation(alice, "channel", taken);
	const nobody = fresh("nobody");
	const rows = [
		["Person", { Name: "" }, "Open", "Enter the name of a person.", "Name"],
		["Person", { Name: nobody }, "Open", `There is nobody with the name “${nobody}”.`, "Name"],
		["Person", { Name: LONG }, "Open", "There is nobody with the name", "Name"],
		["Person", { Name: "a?name=b&ids=1" }, "Open", "There is nobody with the name “a?name=b&ids=1”.", "Name"],
		["Group", { Name: "", People: "" }, "Create group", "Enter a name for the group.", "Name"],
		["Group", { Name: "Lunch", People: nobody }, "Create group", `There is nobody with the name “${nobody}”.`, "People"],
		["Group", { Name: LONG, People: "" }, "Create group", "Name must have 1 to 64 characters.", null],
		["Group", { Name: "a\u202eb", People: "" }, "Create group", "Name must not have characters that control the direction", null],
		["Channel", { Name: "" }, "Create channel", "Enter a name for the channel.", "Name"],
		["Channel", { Name: taken.toLowerCase() }, "Create channel", "A channel with this name exists.", null],
		["Channel", { Name: LONG }, "Create channel", "Name must have 1 to 64 characters.", null],
	];
	await onChat(alice, async (page) => {
		for (const [tab, texts, press, said, field] of rows) {
			const dialog = await openNew(page, tab);
			for (const [name, text] of Object.entries(texts)) {
				await box(dialog, name).fill(text);
			}
			await button(dialog, press).click();
			await alertOf(dialog, said);
			assert.equal(await dialog.getByRole("alert").count(), 1, said);
			for (const [name, text] of Object.entries(texts)) {
				assert.equal(await box(dialog, name).inputValue(), text, said);
			}
			if (field) {
				assert.ok(await hasFocus(box(dialog, field)), said);
				assert.equal(await box(dialog, field).getAttribute("aria-invalid"), "true", said);
			}
			await page.keyboard.press("Escape");
			await gone(dialog);
		}
		const { conversations } = await rest(alice.token, "GET", "/conversations");
		assert.deepEqual(conversations.map(({ name }) => name), [taken]);
	}, { expected: REFUSED });
});

test("a group: people are added, removed, and taken as typed", async () => {
	const [alice, bob, carol, dave] = [await register(), await register("bob"), await register("كارول"), await register("dave")];
	await onChat(alice, async (page) => {
		const dialog = await openNew(page, "Group");
		const people = box(dialog, "People");
		await box(dialog, "Name").fill("Lunch");
		await page.keyboard.press("Enter");
		assert.ok(await hasFocus(people));
		for (const { name } of [bob, carol, bob, alice]) {
			await people.fill(name);
			await page.keyboard.press("Enter");
		}
		await button(dialog, `Remove ${carol.name}`).waitFor();
		await dialog.locator(".pending").first().waitFor({ state: "detached" });
		assert.equal(await dialog.locator("li bdi", { hasText: carol.name }).count(), 1);
		const nobody = fresh("nobody");
		await people.fill(nobody);
		await page.keyboard.press("Enter");
		await alertOf(dialog, nobody);
		assert.equal(await people.inputValue(), nobody);
		await button(dialog, `Remove ${bob.name}`).click();
		assert.ok(await hasFocus(people));
		assert.equal(await dialog.getByRole("listitem").count(), 1);
		await people.fill(dave.name);
		await button(dialog, "Create group").click();
		await gone(dialog);
		await page.getByRole("region", { name: "Lunch" }).waitFor();
		const id = Number(/#\/(\d+)$/.exec(page.url())[1]);
		assert.deepEqual((await membersOf(alice, id)).map(({ user, role }) => [user, role]),
			[[alice.id, "owner"], [carol.id, "member"], [dave.id, "member"]]);
	}, { expected: REFUSED });
});

test("a group whose answer was lost is created once", async () => {
	const alice = await register();
	await onChat(alice, async (page) => {
		let lost = 0;
		await page.route("**/conversations", async (route) => {
			if (route.request().method() === "POST" && lost === 0) {
				lost += 1;
				await route.fetch();
				return route.abort();
			}
			return route.continue();
		});
		const dialog = await openNew(page, "Group");
		await box(dialog, "Name").fill("Once");
		await button(dialog, "Create group").click();
		await alertOf(dialog, "Parley cannot be reached. Try again.");
		assert.equal(await box(dialog, "Name").inputValue(), "Once");
		await button(dialog, "Create group").click();
		await gone(dialog);
		assert.equal(lost, 1);
		assert.equal((await rest(alice.token, "GET", "/conversations")).conversations.length, 1);
	}, { expected: AWAY });
});

test("channels are found while typing, joined, opened and created", async () => {
	const [alice, bob] = [await register(), await register("bob")];
	const word = fresh("w");
	const [first, second] = [`${word} first`, `${word} second`];
	await conversation(bob, "channel", first);
	const joined = await conversation(bob, "channel", second);
	await rest(alice.token, "POST", `/conversations/${joined.id}/join`);
	await onChat(alice, async (page) => {
		const dialog = await openNew(page, "Channel");
		const find = box(dialog, "Find a channel");
		const list = dialog.getByRole("list", { name: "Channels" });
		await find.pressSequentially(word);
		await button(dialog, `Join ${first}`).waitFor();
		await dialog.getByText("2 channels").waitFor();
		assert.deepEqual(await list.locator("bdi").allInnerTexts(), [first, second]);
		assert.match(await list.getByRole("listitem").nth(1).innerText(), /2 members/);
		await find.fill(`${word} nothing`);
		await dialog.getByText("No channel was found.").waitFor();
		assert.equal(await list.getByRole("listitem").count(), 0);

		// The answer to an older question comes last.
		const held = [];
		await page.route(/\/channels\?.*search=old/, (route) => held.push(route));
		await find.fill("old");
		await page.waitForRequest(/search=old/);
		await find.fill(word);
		await button(dialog, `Join ${first}`).waitFor();
		const answered = page.waitForResponse(/search=old/);
		await held[0].continue();
		await (await answered).finished();
		await page.evaluate(() => new Promise(requestAnimationFrame));
		assert.equal(await list.getByRole("listitem").count(), 2);

		await list.getByRole("link", { name: `Open ${second}` }).click();
		await gone(dialog);
		await page.getByRole("region", { name: second }).waitFor();
		await openNew(page, "Channel");
		await find.fill(first);
		await button(dialog, `Join ${first}`).click();
		await gone(dialog);
		await page.getByRole("region", { name: first }).waitFor();
		await openNew(page, "Channel");
		const third = `${word} third`;
		await box(dialog, "Name").fill(third);
		await button(dialog, "Create channel").click();
		await gone(dialog);
		await page.getByRole("region", { name: third }).waitFor();
		const names = (await rest(alice.token, "GET", "/conversations")).conversations.map(({ name }) => name);
		assert.deepEqual(names.sort(), [first, second, third]);
	});
});

// --- the account -------------------------------------------------------------------------
test("the menu of the account by keys and by mouse", async () => onChat(await register(), async (page) => {
	const opener = button(page, "Account");
	const menu = page.getByRole("menu", { name: "Account" });
	const on = async (name) => assert.ok(await hasFocus(menu.getByText(name, { exact: true })), name);
	await opener.focus();
	await page.keyboard.press("Enter");
	assert.deepEqual(await menu.locator("> *").evaluateAll((nodes) => nodes.map((node) => [node.role, node.textContent])),
		[["menuitem", "Profile"], ["menuitem", "Devices"], ["menuitemcheckbox", "Notifications"], ["menuitem", "Sign out"]]);
	await on("Profile");
	for (const [key, name] of [["ArrowDown", "Devices"], ["ArrowUp", "Profile"], ["ArrowUp", "Sign out"],
		["ArrowDown", "Profile"], ["End", "Sign out"], ["Home", "Profile"], ["n", "Notifications"]]) {
		await page.keyboard.press(key);
		await on(name);
	}
	assert.equal(await opener.getAttribute("aria-expanded"), "true");
	await page.keyboard.press("Escape");
	assert.equal(await menu.count(), 0);
	assert.ok(await hasFocus(opener));
	assert.equal(await opener.getAttribute("aria-expanded"), "false");
	await page.keyboard.press("ArrowUp");
	await on("Sign out");
	await page.keyboard.press("Tab");
	assert.equal(await menu.count(), 0);
	for (const leave of [() => opener.click(), () => page.mouse.click(700, 600)]) {
		await opener.click();
		await menu.waitFor();
		await leave();
		await menu.waitFor({ state: "detached" });
	}
}));

test("the profile is shown, changed and checked", async () => {
	const alice = await register();
	await rest(alice.token, "PATCH", "/auth/profile", { about: "first" });
	await onChat(alice, async (page) => {
		await openAccount(page, "Profile");
		const dialog = dialogOf(page, "Profile");
		const [shown, about] = [box(dialog, "Display name"), box(dialog, "About")];
		await shown.waitFor();
		assert.ok(await hasFocus(shown));
		assert.equal(await about.inputValue(), "first");
		for (const [field, text, said] of [
			[shown, LONG, "Display name must have 1 to 64 characters."],
			[shown, "a\u202eb", "Display name must not have characters that control the direction"],
			[about, "é".repeat(501), "About must have at most 500 characters."],
		]) {
			const before = await field.inputValue();
			await field.fill(text);
			await button(dialog, "Save").click();
			await alertOf(dialog, said);
			assert.equal(await field.inputValue(), text);
			assert.ok(await hasFocus(field), said);
			await field.fill(before);
		}
		await shown.fill("Alice Liddell");
		await about.fill("");
		await page.keyboard.press("Tab");
		await page.keyboard.press("Enter");
		await gone(dialog);
		assert.ok(await hasFocus(button(page, "Account")));
		const profile = await rest(alice.token, "GET", "/auth/profile");
		assert.deepEqual([profile.display_name, profile.about], ["Alice Liddell", null]);
		await openAccount(page, "Profile");
		assert.equal(await shown.inputValue(), "Alice Liddell");
		await shown.fill("");
		await shown.press("Enter");
		await gone(dialog);
		assert.equal((await rest(alice.token, "GET", "/auth/profile")).display_name, null);
	}, { expected: REFUSED });
});

test("the password is changed, and ends the other sessions", async () => {
	const alice = await register();
	await onChat(alice, async (page) => {
		await openAccount(page, "Profile");
		await button(page, "Change password").click();
		const dialog = dialogOf(page, "Change password");
		const [old, next] = [dialog.getByLabel("Current password"), dialog.getByLabel("New password")];
		assert.ok(await hasFocus(old));
		for (const [current, wanted, said, field] of [
			["", "", "Enter your current password.", old],
			[PASSWORD, "", "Enter a new password.", next],
			["not this one", "another horse 2", "The current password is wrong.", old],
			[PASSWORD, "short", "Password must have 8 to 256 bytes.", next],
		]) {
			await old.fill(current);
			await next.fill(wanted);
			await button(dialog, "Change password").click();
			await alertOf(dialog, said);
			assert.ok(await hasFocus(field), said);
		}
		await next.fill("another horse 2");
		await button(dialog, "Change password").click();
		await button(page.getByRole("alertdialog", { name: "Password changed" }), "OK").click();
		assert.equal((await login(alice.name)).status, 401);
		const again = await login(alice.name, "another horse 2");
		assert.equal(again.status, 200);
		const { sessions } = await rest(again.token, "GET", "/auth/sessions");
		assert.equal(sessions.length, 2);
		await page.keyboard.press("Escape");
		await openAccount(page, "Devices");
		await page.getByText("This device").waitFor();
	}, { expected: REFUSED });
});

test("the account is deleted with its password", async () => {
	const alice = await register();
	await onChat(alice, async (page) => {
		await openAccount(page, "Profile");
		await button(dialogOf(page, "Profile"), "Delete account").click();
		const dialog = dialogOf(page, "Delete account");
		for (const [password, said] of [["", "Enter your password."], ["not this one", "The password is wrong."]]) {
			await dialog.getByLabel("Password").fill(password);
			await button(dialog, "Delete account").click();
			await alertOf(dialog, said);
			assert.ok(await hasFocus(dialog.getByLabel("Password")), said);
		}
		await dialog.getByLabel("Password").fill(PASSWORD);
		await button(dialog, "Delete account").click();
		await page.getByRole("form", { name: "Sign in" }).waitFor();
		assert.equal(await page.getByRole("dialog").count(), 0);
		assert.equal((await login(alice.name)).status, 401);
		assert.deepEqual(await page.context().cookies(), []);
	}, { expected: REFUSED });
});

test("devices are listed and signed out", async () => {
	const alice = await register("person", { "User-Agent": IPHONE });
	const devices = [await login(alice.name, PASSWORD, { "User-Agent": "curl/8.5" }), await login(alice.name), await login(alice.name)];
	const ends = async ({ token }, wanted) => assert.equal((await rest(token, "GET", "/auth/status")).status, wanted ? 401 : 200);
	await onChat(alice, async (page) => {
		await openAccount(page, "Devices");
		const dialog = dialogOf(page, "Devices");
		const rows = dialog.getByRole("listitem");
		await rows.first().waitFor();
		assert.equal(await rows.count(), 5);
		assert.match(await rows.first().innerText(), /Chrome on Linux\s+This device\s+127\.0\.0\.1/);
		assert.equal(await dialog.getByText("This device").count(), 1);
		const times = await dialog.locator("time").evaluateAll((nodes) => nodes.map(({ dateTime, title }) =>
			[new Date(dateTime).getFullYear(), title.length]));
		assert.ok(times.every(([year, length]) => year >= 2026 && length > 10), JSON.stringify(times));
		await rows.filter({ hasText: "curl" }).getByRole("button", { name: "Sign out" }).click();
		await rows.filter({ hasText: "curl" }).waitFor({ state: "detached" });
		await ends(devices[0], true);
		await ends(devices[1], false);
		assert.equal(await rows.count(), 4);
		assert.ok(await dialog.evaluate((node) => node.contains(document.activeElement)));
		await button(dialog, "Sign out all other devices").click();
		await rows.filter({ hasText: "iPhone" }).waitFor({ state: "detached" });
		assert.equal(await rows.count(), 1);
		await ends(devices[1], true);
		await ends(alice, true);
		assert.equal(await button(dialog, "Sign out all other devices").count(), 0);
		await rows.getByRole("button", { name: "Sign out" }).click();
		await page.getByRole("form", { name: "Sign in" }).waitFor();
		assert.equal(await page.getByRole("dialog").count(), 0);
	});
});

test("notifications are asked for after a click only, and a refusal is said", async () => {
	const alice = await register();
	const item = (page) => page.getByRole("menuitemcheckbox", { name: "Notifications" });
	const shows = async (page, checked) => {
		await button(page, "Account").click();
		assert.equal(await item(page).getAttribute("aria-checked"), String(checked));
	};
	for (const granted of [false, true]) {
		await onChat(alice, async (page) => {
			await page.evaluate(() => {
				window.asked = 0;
				const ask = Notification.requestPermission.bind(Notification);
				Notification.requestPermission = () => {
					window.asked += 1;
					return ask();
				};
			});
			await shows(page, false);
			assert.equal(await page.evaluate(() => window.asked), 0);
			await item(page).click();
			if (!granted) {
				const dialog = page.getByRole("alertdialog", { name: "Notifications are off" });
				await button(dialog, "OK").click();
				await gone(dialog);
				assert.ok(await hasFocus(button(page, "Account")));
			}
			await page.waitForFunction((wanted) => localStorage.getItem("parley.notify") === wanted, granted ? "on" : null);
			assert.equal(await page.evaluate(() => window.asked), 1);
			await shows(page, granted);
			if (granted) {
				await item(page).click();
				await shows(page, false);
				assert.equal(await page.evaluate(() => localStorage.getItem("parley.notify")), "off");
			}
		}, { permissions: granted ? ["notifications"] : [] });
	}
});

test("signing out asks when messages would be lost", async () => {
	const [alice, bob] = [await register(), await register("bob")];
	await onChat(alice, async (page) => {
		await page.context().setOffline(true);
		await page.getByRole("textbox", { name: "Message" }).fill("not sent yet");
		await page.keyboard.press("Enter");
		await page.getByRole("article").filter({ hasText: "not sent yet" }).waitFor();
		await openAccount(page, "Sign out");
		const question = page.getByRole("alertdialog", { name: "Sign out now?" });
		assert.match(await question.innerText(), /A message has not been sent yet/);
		assert.ok(await hasFocus(button(question, "Cancel")));
		await page.keyboard.press("Escape");
		await gone(question);
		assert.ok(await page.getByRole("article").filter({ hasText: "not sent yet" }).isVisible());
		await page.context().setOffline(false);
		await page.getByText("Connected", { exact: true }).waitFor();
		await page.getByRole("article").filter({ hasText: "Saved" }).waitFor();
		await openAccount(page, "Sign out");
		await page.getByRole("form", { name: "Sign in" }).waitFor();
		assert.equal(await question.count(), 0);
	}, { address: `/user/${bob.id}`, expected: [...AWAY, /WebSocket/] });
});

// --- the details of a conversation ----------------------------------------------------------
test("the details show what the user's role allows", async () => {
	const [owner, admin, member] = [await register("owner"), await register("admin"), await register("member")];
	const { id } = await conversation(owner, "group", "Roles", [admin, member]);
	await rest(owner.token, "PATCH", `/conversations/${id}/members/${admin.id}`, { role: "admin" });
	const all = { Invite: 1, Rename: 1, Leave: 1, "Delete group": 1 };
	const rows = [
		[owner, all, { [admin.name]: ["Message", "Take admin role away", "Make owner", "Remove"], [member.name]: ["Message", "Make admin", "Make owner", "Remove"] }],
		[admin, { ...all, "Delete group": 0 }, { [owner.name]: ["Message"], [member.name]: ["Message", "Remove"] }],
		[member, { Invite: 0, Rename: 0, Leave: 1, "Delete group": 0 }, { [owner.name]: ["Message"], [admin.name]: ["Message"] }],
	];
	for (const [user, buttons, menus] of rows) {
		await onChat(user, async (page) => {
			const dialog = await openDetails(page, "Roles");
			const list = dialog.getByRole("list", { name: "Members" });
			await button(list, `Actions for ${Object.keys(menus)[0]}`).waitFor();
			assert.equal(await list.getByRole("listitem").count(), 3);
			assert.match(await list.getByRole("listitem").filter({ hasText: owner.name }).innerText(), /Owner/);
			assert.match(await list.getByRole("listitem").filter({ hasText: admin.name }).innerText(), /Admin/);
			assert.match(await list.getByRole("listitem").filter({ hasText: user.name }).innerText(), /\(you\)/);
			for (const [name, count] of Object.entries(buttons)) {
				assert.equal(await button(dialog, name).count(), count, `${user.name}: ${name}`);
			}
			for (const [name, wanted] of Object.entries(menus)) {
				await button(list, `Actions for ${name}`).click();
				assert.deepEqual(await page.getByRole("menuitem").allInnerTexts(), wanted, `${user.name}: ${name}`);
				await page.keyboard.press("Escape");
			}
			assert.ok(await dialog.isVisible());
		}, { address: `/${id}` });
	}
});

test("members are invited, promoted and removed; all open details follow", async () => {
	const [owner, bob, carol] = [await register("owner"), await register("bob"), await register("carol")];
	const { id } = await conversation(owner, "group", "Crew", [bob]);
	const roles = async () => Object.fromEntries((await membersOf(owner, id)).map(({ user, role }) => [user, role]));
	await onChat(bob, (other) => onChat(owner, async (page) => {
		const theirs = await openDetails(other, "Crew");
		const dialog = await openDetails(page, "Crew");
		const act = async (name, item) => {
			await button(dialog, `Actions for ${name}`).click();
			await page.getByRole("menuitem", { name: item, exact: true }).click();
		};
		const agree = (name) => button(page.getByRole("alertdialog"), name).click();
		const row = (within, name) => within.getByRole("list", { name: "Members" }).getByRole("listitem").filter({ hasText: name });
		for (const [text, said] of [["", "Enter the name of a person."], ["nobody/here", "There is nobody with the name “nobody/here”."]]) {
			await box(dialog, "Invite people").fill(text);
			await button(dialog, "Invite").click();
			await alertOf(dialog, said);
			assert.equal(await box(dialog, "Invite people").inputValue(), text);
		}
		await box(dialog, "Invite people").fill(carol.name);
		await button(dialog, "Invite").click();
		await row(dialog, carol.name).waitFor();
		await dialog.getByText("1 person was invited.").waitFor();
		await dialog.getByRole("heading", { name: "3 members" }).waitFor();
		await row(theirs, carol.name).waitFor();
		await act(bob.name, "Make admin");
		await row(dialog, bob.name).filter({ hasText: "Admin" }).waitFor();
		// Who becomes an admin gets what an admin may do.
		await button(theirs, "Rename").waitFor();
		await act(bob.name, "Take admin role away");
		await button(theirs, "Rename").waitFor({ state: "detached" });
		await act(carol.name, "Remove");
		await agree("Cancel");
		assert.equal((await roles())[carol.id], "member");
		await act(carol.name, "Remove");
		await agree("Remove");
		await row(dialog, carol.name).waitFor({ state: "detached" });
		await row(theirs, carol.name).waitFor({ state: "detached" });
		await act(bob.name, "Make owner");
		await agree("Make owner");
		await button(theirs, "Delete group").waitFor();
		await button(dialog, "Delete group").waitFor({ state: "detached" });
		assert.deepEqual(await roles(), { [owner.id]: "admin", [bob.id]: "owner" });
	}, { address: `/${id}`, expected: REFUSED }), { address: `/${id}` });
});

test("a channel is renamed, its history opened, left, and deleted", async () => {
	const [owner, bob] = [await register("owner"), await register("bob")];
	const [name, taken, renamed] = [fresh("Old"), fresh("Taken"), fresh("New")];
	await conversation(owner, "channel", taken);
	const { id } = await conversation(owner, "channel", name);
	await rest(bob.token, "POST", `/conversations/${id}/join`);
	const now = () => rest(owner.token, "GET", `/conversations/${id}`);
	await onChat(owner, async (page) => {
		let dialog = await openDetails(page, name);
		const field = box(dialog, "Name");
		for (const [text, said] of [["", "Enter a name."], [LONG, "Name must have 1 to 64 characters."], [taken, "A channel with this name exists."]]) {
			await field.fill(text);
			await button(dialog, "Rename").click();
			await alertOf(dialog, said);
			assert.equal(await field.inputValue(), text);
		}
		await field.fill(renamed);
		await field.press("Enter");
		dialog = dialogOf(page, renamed);
		await dialog.waitFor();
		assert.equal((await now()).name, renamed);
		const history = dialog.getByRole("checkbox", { name: "New members see earlier messages" });
		assert.ok(await history.isChecked());
		const patched = page.waitForResponse((answer) => answer.request().method() === "PATCH");
		await history.uncheck();
		await (await patched).finished();
		assert.equal((await now()).history, "joined");
	}, { address: `/${id}`, expected: REFUSED });
	await onChat(bob, async (page) => {
		await button(await openDetails(page, renamed), "Leave").click();
		await button(page.getByRole("alertdialog"), "Leave").click();
		await page.waitForFunction(() => location.hash === "#/");
		assert.equal((await membersOf(owner, id)).length, 1);
	}, { address: `/${id}`, expected: REFUSED });
	await onChat(owner, async (page) => {
		const dialog = await openDetails(page, renamed);
		await button(dialog, "Delete channel").click();
		await button(page.getByRole("alertdialog"), "Cancel").click();
		assert.equal((await now()).status, 200);
		await button(dialog, "Delete channel").click();
		await button(page.getByRole("alertdialog"), "Delete").click();
		await page.waitForFunction(() => location.hash === "#/");
		assert.equal(await page.getByRole("dialog").count(), 0);
		assert.equal((await now()).status, 404);
	}, { address: `/${id}`, expected: REFUSED });
});

test("the details of a person: profile, block, unblock", async () => {
	const [alice, bob] = [await register(), await register("bob")];
	const about = "<img src=x onerror=alert(1)>";
	await rest(bob.token, "PATCH", "/auth/profile", { display_name: "Bob Bobson", about });
	const blocked = async () => (await rest(alice.token, "GET", "/blocks")).blocks.map(({ user }) => user);
	await onChat(alice, async (page) => {
		await page.getByRole("textbox", { name: "Message" }).fill("hello");
		await page.keyboard.press("Enter");
		let dialog = await openDetails(page, bob.name);
		await dialog.getByText("Bob Bobson").waitFor();
		await dialog.getByText(about).waitFor();
		assert.equal(await dialog.locator("img").count(), 0);
		await button(dialog, "Block").click();
		await button(dialog, "Unblock").waitFor();
		assert.deepEqual(await blocked(), [bob.id]);
		await page.keyboard.press("Escape");
		dialog = await openDetails(page, bob.name);
		await button(dialog, "Unblock").click();
		await button(dialog, "Block").waitFor();
		assert.deepEqual(await blocked(), []);
	}, { address: `/user/${bob.id}` });
});

// --- all dialogs -----------------------------------------------------------------------------
/** Each dialog, opened by keys or mouse, with what has to be there before one looks. */
const DIALOGS = {
	person: (page) => openNew(page, "Person"),
	group: async (page) => {
		const dialog = await openNew(page, "Group");
		await box(dialog, "People").fill(fresh("nobody"));
		await page.keyboard.press("Enter");
		await dialog.getByRole("alert").waitFor();
	},
	channel: async (page) => {
		await (await openNew(page, "Channel")).getByRole("listitem").first().waitFor();
	},
	account: async (page) => button(page, "Account").click(),
	profile: async (page) => {
		await openAccount(page, "Profile");
		await box(page, "Display name").waitFor();
	},
	password: async (page) => {
		await DIALOGS.profile(page);
		await button(page, "Change password").click();
	},
	deletion: async (page) => {
		await DIALOGS.profile(page);
		await button(page, "Delete account").click();
	},
	devices: async (page) => {
		await openAccount(page, "Devices");
		await page.getByText("This device").waitFor();
	},
	notifications: async (page) => {
		await button(page, "Account").click();
		await page.getByRole("menuitemcheckbox", { name: "Notifications" }).click();
		await page.getByRole("alertdialog").waitFor();
	},
};
const DETAILS = {
	details: async (page) => {
		await button(page, "Details").press("Enter");
		await page.getByRole("list", { name: "Members" }).getByRole("listitem").first().waitFor();
	},
	member: async (page) => {
		await DETAILS.details(page);
		await page.getByRole("button", { name: "Actions for" }).first().press("Enter");
	},
	leaving: async (page) => {
		await DETAILS.details(page);
		await button(page, "Leave").press("Enter");
		await page.getByRole("alertdialog").waitFor();
	},
};
const LOOKS = {
	light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
	dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
	phone: { viewport: { width: 320, height: 640 }, colorScheme: "light", hasTouch: true, reducedMotion: "reduce" },
	"phone-dark": { viewport: { width: 320, height: 640 }, colorScheme: "dark", hasTouch: true },
	zoomed: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
	forced: { viewport: { width: 1280, height: 800 }, forcedColors: "active" },
};

for (const [look, options] of Object.entries(LOOKS)) {
	test(`axe finds nothing in any dialog, and all fits: ${look}`, async () => {
		const [alice, bob] = [await register("alice"), await register("بوب")];
		const { id } = await conversation(alice, "group", "حديقة", [bob]);
		await conversation(alice, "channel", fresh("Garden"));
		const inspect = async (page, dialogs) => {
			for (const [name, open] of Object.entries(dialogs)) {
				await open(page);
				const top = page.locator("dialog, [role=menu]").last();
				await top.evaluate((node) => Promise.all(node.getAnimations().map((one) => one.finished)));
				await page.screenshot({ path: `${SHOTS}/dialog-${name}-${look}.png` });
				assert.deepEqual(await axe(page, "dialog, [role=menu]"), [], `${name}, ${look}`);
				const fits = await top.evaluate((node) => {
					const { left, top: above, right, bottom } = node.getBoundingClientRect();
					return left >= 0 && above >= 0 && right <= innerWidth && bottom <= innerHeight &&
						[node, ...node.querySelectorAll(".dialog-body")].every((one) => one.scrollWidth <= one.clientWidth);
				});
				assert.ok(fits, `${name}, ${look}: it does not fit`);
				while (await page.locator("dialog, [role=menu]").count()) {
					await page.keyboard.press("Escape");
				}
			}
		};
		const expected = [...REFUSED];
		await onChat(alice, (page) => inspect(page, DIALOGS), { ...options, expected });
		await onChat(alice, (page) => inspect(page, DETAILS), { ...options, expected, address: `/${id}` });
	});
}

test("what cannot be reached is said in every dialog, and works later", async () => {
	const alice = await register();
	const name = fresh("Away");
	const { id } = await conversation(alice, "channel", name);
	const REACH = "Parley cannot be reached. Try again.";
	await onChat(alice, async (page) => {
		const rows = [
			[async () => openNew(page, "Person"), async (dialog) => {
				await box(dialog, "Name").fill(alice.name);
				await button(dialog, "Open").click();
			}],
			[async () => openNew(page, "Group"), async (dialog) => {
				await box(dialog, "Name").fill("Away");
				await button(dialog, "Create group").click();
			}],
			[async () => openNew(page, "Channel"), (dialog) => box(dialog, "Find a channel").fill("x")],
			[async () => openNew(page, "Channel"), async (dialog) => {
				await box(dialog, "Name").fill(fresh("Away"));
				await button(dialog, "Create channel").click();
			}],
			[async () => {
				await DIALOGS.profile(page);
				return dialogOf(page, "Profile");
			}, async (dialog) => {
				await box(dialog, "Display name").fill("Away");
				await button(dialog, "Save").click();
			}],
			[async () => {
				await DIALOGS.devices(page);
				return dialogOf(page, "Devices");
			}, (dialog) => button(dialog, "Sign out all other devices").click()],
			[() => openDetails(page, name), async (dialog) => {
				await box(dialog, "Name").fill(fresh("Away"));
				await button(dialog, "Rename").click();
			}],
		];
		for (const [open, act] of rows) {
			const dialog = await open();
			await page.context().setOffline(true);
			await act(dialog);
			await alertOf(dialog, REACH);
			await page.context().setOffline(false);
			await page.getByText("Connected", { exact: true }).waitFor();
			await page.keyboard.press("Escape");
			await gone(dialog);
		}
		// What is loaded when the dialog opens can be loaded again.
		for (const [item, later] of [["Profile", (dialog) => box(dialog, "Display name")], ["Devices", (dialog) => dialog.getByText("This device")]]) {
			await page.context().setOffline(true);
			await openAccount(page, item);
			const dialog = dialogOf(page, item);
			await alertOf(dialog, REACH);
			await page.context().setOffline(false);
			await button(dialog, "Try again").click();
			await later(dialog).waitFor();
			assert.equal(await dialog.getByRole("alert").count(), 0);
			await page.keyboard.press("Escape");
		}
	}, { address: `/${id}`, expected: [...AWAY, /WebSocket/] });
});

test("Back, and the end of the session, close what is open", async () => {
	const [alice, bob] = [await register(), await register("bob")];
	const { id } = await conversation(alice, "group", "Left", [bob]);
	await onChat(alice, async (page) => {
		await page.goto(`/#/${id}`);
		const dialog = await openDetails(page, "Left");
		await page.goBack();
		await gone(dialog);
		await page.goForward();
		await openDetails(page, "Left");
		await rest(alice.token, "DELETE", `/conversations/${id}`);
		await gone(dialog);
		await openNew(page, "Group");
		await rest(alice.token, "DELETE", "/auth/sessions");
		await page.getByRole("form", { name: "Sign in" }).waitFor();
		assert.equal(await page.getByRole("dialog").count(), 0);
	}, { expected: REFUSED });
});

// --- words -----------------------------------------------------------------------------------
test("errors in plain words", () => {
	for (const [code, message, own, wanted] of [
		["network", "fetch failed", {}, "Parley cannot be reached. Try again."],
		["unavailable", "the database is away", {}, "Parley cannot be reached. Try again."],
		["unauthorized", "a valid token is needed", {}, "Your session has ended. Sign in again."],
		["too_large", "Content Too Large", {}, "That is too long."],
		["too_fast", "too many requests", {}, "Too many tries. Try again in 3 seconds."],
		["not_allowed", "only the owner may do that", {}, "Only the owner may do that."],
		["not_allowed", "old_password is wrong", { not_allowed: "Wrong." }, "Wrong."],
		["invalid", "new_password must have 8 to 256 bytes", {}, "New password must have 8 to 256 bytes."],
		["invalid", "users has too many ids for one request", {}, "That are too many people at once."],
		["conflict", "this name is taken", {}, "This name is taken."],
	]) {
		assert.equal(plain({ code, message, retry_after_ms: 2500 }, own), wanted);
	}
});

test("devices have names that people know", () => {
	for (const [agent, wanted] of [
		[IPHONE, "Safari on iPhone"],
		["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
		["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"],
		["Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"],
		["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", "Safari on macOS"],
		["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36", "Chrome on Linux"],
		["curl/8.5.0", "curl"], ["node", "node"], ["", "Unknown device"], [null, "Unknown device"], ["(x)", "Unknown device"],
	]) {
		assert.equal(deviceName(agent), wanted, agent);
	}
});
