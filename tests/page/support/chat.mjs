/**
 * chat - the page at `/` as its readers know it: by roles, names and texts. Nothing here knows how
 * the page is made.
 *
 * A test is a scene: people, their browsers and tabs, lines that break. Whatever goes wrong on any of
 * its pages (browser.mjs) fails the test, unless the test names it.
 */
import assert from "node:assert/strict";

import { HANG_MS, openContext, openTab, ORIGIN } from "./browser.mjs";
import { Line } from "./line.mjs";
import { PASSWORD, Person, until } from "./people.mjs";

// --- what a test may expect to go wrong --------------------------------------------------
/** Chromium writes each refusal and each lost connection to the console. */
export const refused = (...codes) => new RegExp(`^console: .*status of (${codes.join("|")})`);
export const LINE_CUT = [/^console: .*(ERR_|WebSocket connection|status of 50)/, /^failed: .* net::ERR_(?!BLOCKED)/];
/** An interface of the machine has come or gone, as other tests let them; Chromium ends all connections. */
const MACHINE = /ERR_NETWORK_CHANGED/;
/** A page that is left gives its requests up. */
export const LEFT = [/^failed: .* net::ERR_(ABORTED|NETWORK_IO_SUSPENDED)/];

// --- texts --------------------------------------------------------------------------------
export const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
/** A name that begins or ends so. Playwright makes one blank of several. */
export const begins = (text) => new RegExp(`^${escaped(text)}`);

// --- scenes ----------------------------------------------------------------------------------
export class Scene {
	#browser;
	#pages = [];
	#ends = [];

	constructor(browser) {
		this.#browser = browser;
	}

	async person(name) {
		const person = await Person.register(name);
		this.#ends.push(() => person.leaves());
		return person;
	}

	people(count) {
		return Promise.all(Array.from({ length: count }, () => this.person()));
	}

	async line() {
		const line = await Line.to(ORIGIN);
		this.#ends.unshift(() => line.close());
		return line;
	}

	/** A browser with nothing in it, and its first tab at `path`. `options`: those of a context; `line`, `origin`. */
	async visit(path = "/", { line, origin = line?.origin ?? ORIGIN, ...options } = {}) {
		const context = await openContext(this.#browser, { baseURL: origin, ...options });
		this.#ends.push(() => context.close());
		return this.#tab(context, origin, path);
	}

	/** Another tab of the same browser. */
	tab(chat, path = "/") {
		return this.#tab(chat.context, chat.origin, path);
	}

	async #tab(context, origin, path) {
		const { page, faults } = await openTab(context, origin);
		const chat = new ChatPage(page, origin, faults);
		this.#pages.push({ chat, faults });
		await watchLive(page);
		if (path !== null) {
			await chat.goto(path);
		}
		return chat;
	}

	/** The page of this person, signed in by the form. */
	async signedIn(person, options, path = "/") {
		const chat = await this.visit(path, options);
		await chat.signIn(person);
		return chat;
	}

	/** The page of `person`, at this conversation. */
	async at(person, place, options) {
		const chat = await this.visit(`/#/${place.id ? `user/${place.id}` : place}`, options);
		await chat.signIn(person);
		await chat.box.waitFor();
		return chat;
	}

	faults(expected) {
		return this.#pages.flatMap(({ chat, faults }) => faults
			.filter((fault) => ![MACHINE, ...expected].some((one) => one.test(fault)))
			.map((fault) => `${chat.who ?? "nobody"}: ${fault}`));
	}

	async end() {
		for (const end of this.#ends) {
			await Promise.resolve(end()).catch(() => {});
		}
	}

	/** Where a test failed: what its pages show. */
	async shots(name) {
		for (const [at, { chat }] of this.#pages.entries()) {
			await chat.page.screenshot({ path: `build/test-logs/page/failed-${name}-${at}.png`, timeout: 5000 }).catch(() => {});
		}
	}
}

/** A function for node:test. `browser` is asked for when the test begins. */
export function onScene(browser, look, expected = []) {
	return async (t) => {
		const scene = new Scene(browser());
		try {
			await look(scene, t);
			assert.deepEqual(scene.faults(expected.flat()), []);
		} catch (error) {
			await scene.shots(t.name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60));
			error.message += noted(scene.faults(expected.flat()));
			throw error;
		} finally {
			await scene.end();
		}
	};
}

const noted = (faults) => faults.length ? `\n(the pages: ${faults.slice(0, 5).join("; ")})` : "";

// --- a page -------------------------------------------------------------------------------------
export class ChatPage {
	constructor(page, origin, faults) {
		Object.assign(this, { page, origin, faults, context: page.context() });
	}

	// --- loading
	goto(path) {
		return this.#load(() => this.page.goto(path));
	}

	reload() {
		return this.#load(() => this.page.reload());
	}

	/** Once more if the machine took the modules away. */
	async #load(act) {
		let empty;
		do {
			const from = this.faults.length;
			await act();
			await until("the page shows something", async () => {
				empty = await this.page.evaluate(() => !document.body.innerText.trim());
				return !empty || this.faults.slice(from).some((fault) => MACHINE.test(fault));
			});
		} while (empty);
	}

	// --- signing in
	get name() {
		return this.page.getByRole("textbox", { name: "Name", exact: true });
	}

	/** ARIA gives a password's field no role. */
	get password() {
		return this.page.getByLabel("Password", { exact: true });
	}

	button(name, inside = this.page) {
		return inside.getByRole("button", { name, exact: true });
	}

	async enter(name, password, button) {
		await this.name.fill(name);
		await this.password.fill(password);
		await this.button(button).click();
	}

	async signIn(person) {
		this.who = person.name;
		await this.enter(person.name, PASSWORD, "Sign in");
		await this.ready();
	}

	async signUp(name, password = PASSWORD) {
		this.who = name;
		await this.enter(name, password, "Create account");
		await this.ready();
	}

	/** Signed in and connected. A narrow screen may show the conversation alone. */
	async ready() {
		await this.button("Account").or(this.region()).first().waitFor({ state: "attached" });
		await this.password.waitFor({ state: "detached" });
		await this.connection("Connected");
	}

	signedOut() {
		return this.button("Sign in").waitFor();
	}

	/** The status may be shown only while it is not `Connected`, so long as the tree has it. */
	connection(text) {
		return until(`the status is ${text}`, () => this.page.evaluate((wanted) =>
			[...document.querySelectorAll("[role=status],output")].some((one) => one.textContent.trim() === wanted), text));
	}

	// --- the list
	get list() {
		return this.page.getByRole("navigation", { name: "Conversations", exact: true });
	}

	links() {
		return this.list.getByRole("link");
	}

	link(name) {
		return this.list.getByRole("link", { name: begins(name) });
	}

	unread(name, count) {
		return this.list.getByRole("link", { name: new RegExp(`^${escaped(name)}[^]*\\b${count} unread$`) }).waitFor();
	}

	async names() {
		return this.links().evaluateAll((links) => links.map((link) => link.querySelector("bdi")?.textContent));
	}

	async open(name) {
		await this.link(name).click();
		await this.region(name).waitFor();
		await this.box.waitFor();
	}

	// --- dialogs
	get dialog() {
		return this.page.getByRole("dialog");
	}

	async newConversation(tab) {
		await this.button("New conversation").click();
		await this.dialog.waitFor();
		if (tab !== "Person") {
			await this.dialog.getByRole("tab", { name: tab, exact: true }).click();
		}
		return this.dialog;
	}

	/** By the keyboard alone once the dialog is there: its text box has the focus, and Enter opens. */
	async startWith(name) {
		await this.newConversation("Person");
		await this.page.keyboard.type(name);
		await this.page.keyboard.press("Enter");
		await this.region(name).waitFor();
		await this.box.waitFor();
	}

	async makeGroup(name, ...people) {
		const dialog = await this.newConversation("Group");
		await dialog.getByRole("textbox", { name: "Name", exact: true }).fill(name);
		const box = dialog.getByRole("textbox", { name: "People", exact: true })
			.or(dialog.getByRole("combobox", { name: "People", exact: true }));
		for (const person of people) {
			await box.fill(person);
			await box.press("Enter");
			await dialog.getByText(person, { exact: true }).first().waitFor();
		}
		await this.button("Create group", dialog).click();
		await this.region(name).waitFor();
		await this.box.waitFor();
	}

	async account(item) {
		await this.button("Account").click();
		await this.page.getByRole("menuitem", { name: item, exact: true }).click();
	}

	async signOut() {
		await this.account("Sign out");
		await this.signedOut();
	}

	// --- the conversation
	/** The region of the conversation of this name; without one, the region that has the log. */
	region(name) {
		return name === undefined
			? this.page.getByRole("region").filter({ has: this.page.getByRole("log", { name: "Messages" }) })
			: this.page.getByRole("region", { name: begins(name) });
	}

	get log() {
		return this.page.getByRole("log", { name: "Messages", exact: true });
	}

	articles() {
		return this.log.getByRole("article");
	}

	/** Those with this text in them. */
	article(text) {
		return this.articles().filter({ hasText: text });
	}

	/** The message box. */
	get box() {
		return this.page.getByRole("textbox", { name: "Message", exact: true });
	}

	async write(text) {
		await this.box.fill(text);
		await this.box.press("Enter");
		await until("the box is empty", async () => await textOf(this.box) === "");
	}

	/** What an assistive program is told of this article. */
	async told(text) {
		return this.article(text).ariaSnapshot();
	}

	/** The state of an own message: Sending, Saved, Failed, Read, Read by N. */
	async state(text) {
		const told = (await this.told(text)).replaceAll(text, "");
		return told.match(/\b(Sending|Saved|Failed|Read by \d+|Read)\b/)?.[0];
	}

	comesTo(text, state) {
		return until(`${this.who}: "${text}" is ${state}`, async () => await this.state(text) === state);
	}

	/** What stands in the log, for each message once: the text that `wanted` finds in one piece of it. */
	async texts(wanted) {
		return this.articles().evaluateAll((articles, source) => articles.flatMap((one) => {
			const pieces = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
			while (pieces.nextNode()) {
				const found = pieces.currentNode.data.match(new RegExp(source, "u"));
				if (found) {
					return found[0];
				}
			}
			return [];
		}), wanted.source);
	}

	/** The menu of this message. */
	async more(text) {
		await this.article(text).getByRole("button", { name: "More…", exact: true }).click();
		return this.page.getByRole("menu");
	}

	/** Its items; the menu is closed again. */
	async offers(text) {
		const menu = await this.more(text);
		await menu.waitFor();
		const names = await menu.evaluate((node) => [...node.querySelectorAll("[role^=menuitem]")]
			.map((one) => one.textContent.trim()));
		await this.page.keyboard.press("Escape");
		await menu.waitFor({ state: "detached" });
		return names;
	}

	async choose(text, item) {
		await (await this.more(text)).getByRole("menuitem", { name: item, exact: true }).click();
	}

	async react(text, emoji) {
		await this.choose(text, "React");
		const name = new RegExp(`^${emoji}(?! \\d)`, "u"); // `👍 2` is the reaction of a message
		await this.page.getByRole("button", { name }).or(this.page.getByRole("menuitem", { name })).first().click();
		await this.reaction(text, emoji).waitFor();
	}

	reaction(text, emoji, count) {
		return this.article(text).getByRole("button", { name: count === undefined ? begins(emoji) : `${emoji} ${count}`, exact: count !== undefined });
	}

	/** What has the focus: its name, and its place among the roles. */
	async focused() {
		return this.page.evaluate(() => {
			const one = document.activeElement;
			return one.getAttribute("aria-label") ?? document.getElementById(one.getAttribute("aria-labelledby"))?.textContent
				?? one.labels?.[0]?.textContent ?? one.textContent.trim();
		});
	}

	// --- what the browser keeps
	/** All that scripts of the origin can read, as one text. */
	async kept() {
		return this.page.evaluate(async () => {
			const rows = (database, table) => new Promise((resolve, reject) => {
				const store = database.transaction(table).objectStore(table);
				const [keys, values] = [store.getAllKeys(), store.getAll()];
				values.onsuccess = () => resolve(keys.result.map((key, at) => [key, values.result[at]]));
				values.onerror = () => reject(values.error);
			});
			const open = (name) => new Promise((resolve, reject) => {
				const asked = indexedDB.open(name);
				asked.onsuccess = () => resolve(asked.result);
				asked.onerror = () => reject(asked.error);
			});
			const kept = { local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie,
				state: history.state, address: location.href, name: window.name, databases: {}, caches: [] };
			for (const { name } of await indexedDB.databases()) {
				const database = await open(name);
				for (const table of database.objectStoreNames) {
					kept.databases[`${name}/${table}`] = await rows(database, table);
				}
				database.close();
			}
			for (const key of await caches.keys()) {
				kept.caches.push(...(await (await caches.open(key)).keys()).map((one) => one.url));
			}
			return JSON.stringify(kept);
		});
	}

	async announced() {
		return this.page.evaluate(() => window.announced);
	}
}

/** The text of a box, whatever it is made of. */
export const textOf = (box) => box.evaluate((node) => node.value ?? node.innerText.replace(/\n$/, ""));

/**
 * Notes in `window.announced` what a screen reader would say by itself: texts that come into live
 * regions, {live, text}, one entry for all that a region gets at one moment.
 */
async function watchLive(page) {
	await page.addInitScript(() => {
		const LIVE = { log: "polite", status: "polite", alert: "assertive" };
		const liveOf = (node) => node.getAttribute("aria-live") ?? LIVE[node.getAttribute("role")] ?? (node.tagName === "OUTPUT" ? "polite" : null);
		const regionOf = (node) => {
			for (let at = node; at; at = at.parentElement) {
				if (at.getAttribute("aria-hidden") === "true" || at.getAttribute("aria-busy") === "true" || at.hidden) {
					return null;
				}
				if (liveOf(at)) {
					return liveOf(at) === "off" ? null : at;
				}
			}
			return null;
		};
		const spoken = (node) => {
			if (node.nodeType === Node.TEXT_NODE) {
				return node.data;
			}
			if (node.nodeType !== Node.ELEMENT_NODE || node.getAttribute("aria-hidden") === "true" || node.hidden
				|| node.getAttribute("aria-live") === "off") {
				return "";
			}
			return node.getAttribute("aria-label") ?? [...node.childNodes].map(spoken).join(" ");
		};
		window.announced = [];
		new MutationObserver((records) => {
			const news = new Map();
			for (const { type, target, addedNodes } of records) {
				const from = type === "characterData" ? target.parentElement : target;
				const region = from instanceof Element && from.isConnected && regionOf(from);
				if (!region) {
					continue;
				}
				const added = type === "characterData" ? [target] : [...addedNodes].filter((one) => one.isConnected);
				const atomic = from.closest("[aria-atomic=true]");
				const whole = atomic && region.contains(atomic) ? [atomic] : added;
				const said = news.get(region) ?? new Set();
				whole.filter((one) => ![...said].some((other) => other.contains(one))).forEach((one) => said.add(one));
				news.set(region, said);
			}
			for (const [region, nodes] of news) {
				const text = [...nodes].map(spoken).join(" ").replace(/\s+/g, " ").trim();
				if (text) {
					window.announced.push({ live: liveOf(region), role: region.getAttribute("role"), text });
				}
			}
		}).observe(document, { subtree: true, childList: true, characterData: true });
	});
}

export { HANG_MS };
