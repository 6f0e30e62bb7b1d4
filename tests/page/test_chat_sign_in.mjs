/** Signing in, up and out on the page at `/`, and what the browser keeps of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { HANG_MS, startBrowser } from "./support/browser.mjs";
import { LEFT, LINE_CUT, onScene, refused, textOf } from "./support/chat.mjs";
import { newName, PASSWORD, until } from "./support/people.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

const COOKIE = /^(__Secure-)?parley_refresh$/;
/** A JSON Web Token, whatever it is called. */
const JWT = /eyJ[\w-]{10,}\.[\w-]+\.[\w-]+/;

test("the form has the names and kinds that programs hold on to", scene(async (stage) => {
	const chat = await stage.visit();
	await chat.name.waitFor();
	assert.equal(await chat.name.count(), 1);
	assert.equal(await chat.password.count(), 1);
	assert.equal(await chat.name.getAttribute("autocomplete"), "username");
	assert.equal(await chat.password.getAttribute("autocomplete"), "current-password");
	assert.equal(await chat.password.getAttribute("type"), "password");
	for (const name of ["Sign in", "Create account"]) {
		assert.equal(await chat.button(name).count(), 1, name);
	}
	assert.equal(await chat.page.getByRole("form", { name: "Sign in", exact: true }).count(), 1);
	assert.equal(await chat.page.getByRole("heading", { level: 1 }).count(), 1);
	assert.equal(await chat.page.locator("html").getAttribute("lang"), "en");
	assert.equal(await chat.page.getByRole("alert").filter({ visible: true, hasText: /\S/ }).count(), 0);
	assert.equal(await chat.list.count(), 0, "nothing of a chat is there");
	assert.deepEqual(await chat.context.cookies(), []);
}));

test("a new account is signed in, and stays so over a reload", scene(async (stage) => {
	const chat = await stage.visit();
	const tokens = [];
	chat.page.on("response", async (answer) => {
		if (answer.url().includes("/auth/") && answer.request().method() === "POST") {
			const body = await answer.json().catch(() => ({}));
			assert.equal("refresh_token" in body, false, "no script is given a refresh token");
			tokens.push(body.token);
		}
	});
	await chat.signUp(newName());
	await chat.list.waitFor({ state: "attached" });
	await kept();
	await chat.reload();
	await chat.ready();
	assert.equal(await chat.button("Sign in").count(), 0);
	await kept();

	async function kept() {
		const cookies = await chat.context.cookies();
		assert.deepEqual(cookies.map(({ name, httpOnly, sameSite, path }) => [COOKIE.test(name), httpOnly, sameSite, path]),
			[[true, true, "Strict", "/auth"]]);
		const text = await chat.kept();
		await until("the access token is known", () => tokens.length);
		for (const secret of [cookies[0].value, ...tokens, PASSWORD]) {
			assert.equal(text.includes(secret), false, "a token or the password is kept where scripts read it");
		}
		assert.doesNotMatch(text, JWT);
	}
}, LEFT));

test("the keyboard signs in: Enter in a field is the button Sign in", scene(async (stage) => {
	const person = await stage.person();
	const chat = await stage.visit();
	await chat.name.focus();
	await chat.page.keyboard.type(person.name);
	await chat.page.keyboard.press("Tab");
	await chat.page.keyboard.type(PASSWORD);
	await chat.page.keyboard.press("Enter");
	await chat.ready();
}));

// --- refusals -----------------------------------------------------------------------------------
const REFUSALS = {
	"a wrong password": { button: "Sign in", password: "wrong horse 22", codes: [401] },
	"a name that nobody has": { button: "Sign in", name: "unknown", codes: [401] },
	"a taken name": { button: "Create account", codes: [409] },
	"a taken name in other letters": { button: "Create account", name: "upper", codes: [409] },
	"a short password": { button: "Create account", name: "new", password: "short", codes: [422] },
	"a password without an end": { button: "Create account", name: "new", password: "x".repeat(257), codes: [422] },
	"a name that is too long": { button: "Create account", name: "long", codes: [422] },
	"a name with a control character": { button: "Create account", name: "bidi", codes: [422] },
};
const nameOf = (kind, person) => ({ undefined: person.name, unknown: newName(), new: newName(), upper: person.name.toUpperCase(),
	long: "x".repeat(65), bidi: `a\u202eb${newName()}` })[kind];

describe("a refusal is an alert, and the typed name stays", () => {
	for (const [what, { button, name, password = PASSWORD, codes }] of Object.entries(REFUSALS)) {
		test(what, scene(async (stage) => {
			const person = await stage.person();
			const chat = await stage.visit();
			const typed = nameOf(name, person);
			await chat.enter(typed, password, button);
			const alert = chat.page.getByRole("alert").filter({ hasText: /\w+/, visible: true });
			await alert.waitFor();
			assert.equal(await textOf(chat.name), typed);
			assert.ok(await chat.button(button).isEnabled());
			assert.equal(await chat.list.count(), 0);
			await chat.signIn(person);
		}, refused(...codes)));
	}

	test("fields that are empty", scene(async (stage) => {
		const chat = await stage.visit();
		await chat.name.waitFor();
		const sent = [];
		chat.page.on("request", (request) => sent.push(request.url()));
		for (const name of ["Sign in", "Create account"]) {
			await chat.button(name).click();
		}
		await chat.name.fill("somebody");
		await chat.button("Sign in").click();
		assert.deepEqual(sent, []);
		assert.equal(await textOf(chat.name), "somebody");
	}));

	test("a server that is away", scene(async (stage) => {
		const [person, line] = [await stage.person(), await stage.line()];
		const chat = await stage.visit("/", { line });
		await chat.name.waitFor();
		line.cut();
		for (const button of ["Sign in", "Create account"]) {
			await chat.enter(person.name, PASSWORD, button);
			await chat.page.getByRole("alert").filter({ hasText: /\w+/, visible: true }).waitFor();
			assert.equal(await textOf(chat.name), person.name);
		}
		line.mend();
		await chat.button("Sign in").click(); // the password has stayed too: nobody types it twice for a bad line
		await chat.ready();
	}, LINE_CUT));

	test("too many wrong passwords", scene(async (stage) => {
		const person = await stage.person();
		for (let tries = 0; tries < 10; tries += 1) {
			await assert.rejects(person.call("POST", "/auth/login", { name: person.name, password: "wrong horse" }));
		}
		const chat = await stage.visit();
		await chat.enter(person.name, "wrong horse", "Sign in");
		const alert = chat.page.getByRole("alert").filter({ hasText: /\w+/, visible: true });
		await alert.waitFor();
		assert.doesNotMatch(await alert.innerText(), /password is (wrong|not right)|wrong (name or )?password/i,
			"a right one would be refused as well: the reader is told to wait");
	}, refused(401, 429)));
});

// --- signing out -----------------------------------------------------------------------------------
test("signing out erases texts, drafts and tokens, in all tabs", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.says(alice, "the secret of the lake");
	const chat = await stage.at(alice, bob);
	await chat.article("the secret of the lake").waitFor();
	await chat.write("an own secret word");
	await chat.comesTo("an own secret word", "Saved");
	const other = await stage.tab(chat);
	await other.ready();
	await chat.box.fill("a draft that nobody may read");
	await until("the draft is kept", async () => (await chat.kept()).includes("a draft that nobody"));
	const before = await chat.context.cookies();
	await chat.signOut();
	await other.signedOut();
	for (const one of [chat, other]) {
		await until("nothing is kept", async () => !/secret|draft that/.test(await one.kept()));
		const text = await one.kept();
		for (const trace of [before[0].value, bob.name]) {
			assert.equal(text.includes(trace), false, `${trace} is still kept`);
		}
		assert.doesNotMatch(text, JWT);
		const shown = await one.page.evaluate(() => document.documentElement.textContent);
		assert.doesNotMatch(shown, /secret|draft that/);
		assert.doesNotMatch(await one.page.title(), new RegExp(bob.name));
	}
	assert.deepEqual(await chat.context.cookies(), []);
	const { sessions } = await alice.call("GET", "/auth/sessions");
	assert.equal(sessions.length, 1, "the session of the page has ended at the server; that of the test lives");
	await chat.goto("/docs/");
	for (const again of [() => chat.page.goBack(), () => chat.reload()]) {
		await again();
		await chat.signedOut();
		assert.doesNotMatch(await chat.page.evaluate(() => document.documentElement.textContent), /secret|draft that/);
	}
}, LEFT, LINE_CUT));

test("the next user of the browser sees nothing of the one before", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.says(alice, "for alice only");
	const chat = await stage.at(alice, bob);
	await chat.article("for alice only").waitFor();
	await chat.signOut();
	assert.match(await chat.page.evaluate(() => location.hash), /^(#\/?)?$/, "the address names a conversation of alice");
	await chat.signUp(newName());
	assert.equal(await chat.links().count(), 0);
	await chat.goto("/#/");
	await chat.ready();
	assert.doesNotMatch(await chat.page.evaluate(() => document.body.textContent), /for alice only/);
	assert.doesNotMatch(await chat.kept(), /for alice only/);
}, LEFT));

test("signing out without a server erases all the same", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const line = await stage.line();
	await bob.says(alice, "the secret of the lake");
	const chat = await stage.at(alice, bob, { line });
	await chat.article("the secret of the lake").waitFor();
	line.cut();
	await chat.signOut();
	await until("nothing is kept", async () => !/secret/.test(await chat.kept()));
	assert.doesNotMatch(await chat.page.evaluate(() => document.documentElement.textContent), /secret/);
}, LINE_CUT));
