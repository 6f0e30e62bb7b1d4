/** Texts and names of strangers: they are shown as they are, and do nothing. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { HANG_MS, openPage, startBrowser } from "./support/browser.mjs";
import { onScene, textOf } from "./support/chat.mjs";
import { newName, until } from "./support/people.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());
const scene = (look, ...expected) => onScene(() => browser, look, expected);

const FAMILY = "👩‍👩‍👧";
const TEXTS = {
	"HTML": "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b><style>*{display:none}</style>",
	"a frame and a form": "<iframe src=javascript:alert(1)></iframe><form action=//evil.example><input name=x></form>",
	"entities": "&lt;b&gt; &amp;amp; &#x3c;script&#x3e;",
	"a template": "${alert(1)} {{constructor.constructor('alert(1)')()}} <%= x %>",
	"markup of documents": "# h1\n* one\n![x](http://evil.example/x.png) [a](javascript:alert(1)) `code` **bold**",
	"controls of direction": "abc \u202egnp.exe\u202c \u2066\u2067\u2068x\u2069 \u200f\u200e\u061c end",
	"an endless control of direction": `${"\u202e".repeat(300)}txt`,
	"zalgo": `Z${"\u0300\u0301\u0302\u0327\u0489".repeat(60)}algo`,
	"a word of 16 KB": "w".repeat(16_384),
	"a word of wide letters": "漢".repeat(5_000),
	"a thousand emoji": "😀".repeat(1000),
	"a thousand families": FAMILY.repeat(900),
	"a thousand lines": "line\n".repeat(1000).trim(),
	"blanks": ` a\u00a0\u00a0${"\u2003".repeat(200)}b\tc`,
	"nothing that is seen": "\u200b\u200c\u200d\u2060\ufeff",
	"names of members": "__proto__ constructor toString hasOwnProperty",
	"a null character's neighbours": "a\u0001\u0008\u001b[31mred\u007f b",
	"pictures of letters": "ﷺ".repeat(300) + "\u{12031}".repeat(200) + "𒈙𒐫꧅",
	"an address that ends in all": `http://example.com/${"a".repeat(8000)}`,
};

/** What a text must not leave in the page. */
const INERT = "img, script, style, iframe, form, object, embed, svg script, b, h1, h2, code, meta, base, link";

const executed = async (chat) => {
	assert.equal(await chat.page.evaluate(() => window.hit), undefined, "it was executed");
	assert.equal(await chat.log.locator(`article :is(${INERT})`).count(), 0);
};

const fits = (chat) => chat.page.evaluate(() => {
	const isOut = (one) => {
		const { left, right, width } = one.getBoundingClientRect();
		return width > 1 && (right > innerWidth + 1 || left < -1) && getComputedStyle(one).visibility !== "hidden";
	};
	const isCut = (one) => {
		for (let at = one.parentElement; at; at = at.parentElement) {
			if (["hidden", "clip"].includes(getComputedStyle(at).overflowX) && !isOut(at)) {
				return true;
			}
		}
		return false;
	};
	const wide = [...document.querySelectorAll("body *")].filter((one) => isOut(one) && !isCut(one));
	return { wide: document.documentElement.scrollWidth > innerWidth,
		logs: [...document.querySelectorAll("[role=log],nav")].filter((one) => one.scrollWidth > one.clientWidth + 1)
			.map((one) => `${one.scrollWidth} in ${one.clientWidth}: ${[...one.querySelectorAll("article *")].filter((part) =>
				part.getBoundingClientRect().right > one.getBoundingClientRect().right + 1).slice(0, 3).map((part) =>
				`${part.tagName}.${part.className} ${part.textContent.slice(0, 40)}`)}`),
		names: wide.slice(0, 5).map((one) => `${one.tagName}.${one.className}: ${JSON.stringify(one.getBoundingClientRect())}`) };
});

const hear = async (chat) => {
	chat.page.on("dialog", (dialog) => {
		chat.page.evaluate(() => { window.hit = true; }).catch(() => {});
		dialog.dismiss();
	});
};

test("texts of strangers do nothing and break nothing, at 320 px", { timeout: HANG_MS * 3 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.plant(alice, Object.values(TEXTS));
	const a = await stage.at(alice, bob, { viewport: { width: 320, height: 640 } });
	await hear(a);
	const shown = () => a.articles().evaluateAll((articles) => articles.map((one) => one.textContent));
	await until("all are there", async () => (await shown()).length === Object.keys(TEXTS).length);
	const texts = await shown();
	for (const [at, [what, text]] of Object.entries(TEXTS).entries()) {
		assert.ok(texts[at].includes(text), `${what} is not shown as it was written`);
		await a.articles().nth(at).scrollIntoViewIfNeeded();
		assert.deepEqual(await fits(a), { wide: false, logs: [], names: [] }, what);
	}
	await executed(a);
	await a.page.screenshot({ path: "build/test-logs/page/chat-hostile-320.png" });
	// The one who has been written to can write on.
	await a.write("what was that?");
	await a.comesTo("what was that?", "Saved");
	// Quoted and edited they do nothing either.
	await a.choose("bold</b>", "Reply");
	await a.write(TEXTS.HTML);
	await until("it is quoted", async () => (await shown()).at(-1).split("<script>").length === 3);
	await a.choose("what was that?", "Edit");
	await a.articles().getByRole("textbox").fill(TEXTS["markup of documents"]);
	await a.page.keyboard.press("Enter");
	await until("it is edited", async () => await a.article("![x]").count() === 2);
	await executed(a);
	assert.deepEqual(await fits(a), { wide: false, logs: [], names: [] });
}));

test("the direction of one message does not reach the next one, nor its sender or time", scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	await bob.plant(alice, [TEXTS["an endless control of direction"], "plain", "שלום abc", "مرحبا"]);
	const a = await stage.at(alice, bob);
	await a.article("مرحبا").waitFor();
	const ofText = (text) => a.article(text).evaluate((article, wanted) => {
		const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			if (walker.currentNode.data.includes(wanted)) {
				const { direction, unicodeBidi } = getComputedStyle(walker.currentNode.parentElement);
				return `${direction} ${unicodeBidi}`;
			}
		}
		return null;
	}, text);
	assert.match(await ofText("שלום abc"), /^rtl (isolate|plaintext)/);
	assert.match(await ofText("مرحبا"), /^rtl /);
	assert.match(await ofText("plain"), /^ltr (isolate|plaintext)/);
	// The letters of `plain` stand from left to right.
	const rising = await a.article("plain").evaluate((article) => {
		const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			if (walker.currentNode.data === "plain") {
				const xs = [...walker.currentNode.data].map((_, at) => {
					const range = document.createRange();
					range.setStart(walker.currentNode, at);
					range.setEnd(walker.currentNode, at + 1);
					return range.getBoundingClientRect().left;
				});
				return xs.every((x, at) => at === 0 || x > xs[at - 1]);
			}
		}
		return false;
	});
	assert.ok(rising);
	assert.equal(await a.box.getAttribute("dir"), "auto");
}));

// --- links ---------------------------------------------------------------------------------------
const LINKS = {
	"https://example.com/a?b=c&d=e#f": "https://example.com/a?b=c&d=e#f",
	"http://127.0.0.1:1/x": "http://127.0.0.1:1/x",
	"(see https://example.com/x).": "https://example.com/x",
	"HTTPS://EXAMPLE.COM/Y": "https://example.com/Y",
	"https://example.com/wiki/A_(b)": "https://example.com/wiki/A_(b)",
	"javascript:alert(1)": null,
	"java\u0001script:alert(1)": null,
	"JaVaScRiPt://example.com/%0aalert(1)": null,
	"data:text/html,<script>alert(1)</script>": null,
	"vbscript:msgbox(1)": null,
	"file:///etc/passwd": null,
	"blob:https://example.com/1": undefined,
	"intent://x#Intent;scheme=http;end": null,
	"ftp://example.com/": null,
	"https://": null,
	"https:example.com": null,
	"xhttps://example.com/z-none": null,
	"https://exa mple.com": undefined, // in these: whatever is safe
	"https://user:secret@example.com/": undefined,
	"https://example.com\u202egpj.exe": undefined,
	"https://xn--80ak6aa92e.com/ https://аррӏе.com/": undefined,
	"http://[::1]:99999/": undefined,
	"https://example.com/\"onmouseover=\"alert(1)": undefined,
};

test("links lead to http and https only, and take nothing with them", { timeout: HANG_MS * 2 }, scene(async (stage) => {
	const [alice, bob] = await stage.people(2);
	const texts = Object.keys(LINKS);
	await bob.plant(alice, texts);
	const a = await stage.at(alice, bob);
	await hear(a);
	await until("all are there", async () => await a.articles().count() === texts.length);
	const found = await a.articles().evaluateAll((articles) => articles.map((one) => [...one.querySelectorAll("a[href]")]
		.map((link) => ({ to: link.href, rel: link.rel, target: link.target, text: link.textContent, handlers: link.getAttributeNames().join(" ") }))));
	for (const [at, [text, wanted]] of Object.entries(LINKS).entries()) {
		for (const { to, rel, target, text: shown, handlers } of found[at]) {
			assert.match(to, /^https?:\/\//, text);
			assert.match(rel, /\bnoopener\b/, text);
			assert.ok(target === "_blank" || target === "", text);
			assert.doesNotMatch(handlers, /\bon|style/);
			// What is shown is what it leads to.
			assert.equal(new URL(shown).href, to, `${text} shows ${shown}`);
		}
		if (wanted !== undefined) {
			assert.deepEqual(found[at].map(({ to }) => to), wanted === null ? [] : [wanted], text);
		}
	}
	// A click opens a tab that has no way back; the page itself stays.
	const { page: server, faults } = await openPage(browser, null);
	await server.context().close();
	assert.deepEqual(faults, []);
	const before = a.page.url();
	const [popup] = await Promise.all([a.context.waitForEvent("page"), a.article("http://127.0.0.1:1/x").getByRole("link").click()]);
	assert.equal(await popup.evaluate(() => window.opener).catch(() => null), null);
	await popup.close();
	assert.equal(a.page.url(), before);
	await executed(a);
}, [/another origin: http:\/\/127.0.0.1:1\/x/, /ERR_UNSAFE_PORT|ERR_CONNECTION_REFUSED/]));

// --- names ------------------------------------------------------------------------------------------
const NAMES = {
	"markup": (tail) => `<b onclick=alert(1)>${tail}</b>`,
	"quotes": (tail) => `"'><svg/onload=alert(1)>${tail}`.slice(0, 64),
	"a pattern": (tail) => `(.*)+[${tail}]\\/$^`,
	"Hebrew": (tail) => `שלום ${tail}`,
	"Arabic alone": () => `مرحبا${newName("").replace(/\D/g, "")}`,
	"a long word": (tail) => `${"W".repeat(63 - tail.length)} ${tail}`.slice(0, 64),
	"zalgo": (tail) => `${tail}${"\u0301".repeat(30)}`,
	"emoji": (tail) => `${tail} ${FAMILY}😀`,
	"the words of the page": (tail) => `3 unread Saved ${tail}`,
	"a member of objects": () => "__proto__",
};

describe("names of strangers are names", () => {
	for (const [what, make] of Object.entries(NAMES)) {
		test(what, { timeout: HANG_MS * 2 }, scene(async (stage) => {
			const name = make(newName("x"));
			const bob = await stage.person(name).catch((error) => {
				if (error.status === 409) {
					return null; // of an earlier run
				}
				throw error;
			});
			if (!bob) {
				return;
			}
			const [alice] = await stage.people(1);
			const known = (await alice.call("GET", `/auth/users/${bob.id}`)).name;
			const group = await bob.makes("group", name, alice);
			await bob.says(alice, "hello");
			await bob.says(group, "hello all");
			const a = await stage.signedIn(alice, { viewport: { width: 320, height: 640 } });
			await hear(a);
			await until("both are in the list", async () => await a.links().count() === 2);
			await until("both have their name", async () => (await a.names()).every((one) => one === known));
			await a.links().first().click();
			await a.article("hello all").waitFor();
			assert.ok((await a.article("hello all").textContent()).includes(known));
			assert.equal(await a.page.getByRole("heading", { level: 1 }).locator("bdi").or(
				a.page.locator("h1[dir=auto]")).count() > 0, true, "a name is isolated");
			assert.ok((await a.page.title()).replace(/^\(\d+\) /, "").startsWith(known), await a.page.title());
			assert.deepEqual(await fits(a), { wide: false, logs: [], names: [] });
			await executed(a);
			assert.equal(await a.page.locator("b, svg[onload]").count(), 0);
		}));
	}
});

test("a person of such a name is found by it, and a reaction of letters is one", scene(async (stage) => {
	const name = `<i>${newName("x")}</i>`;
	const [alice, bob] = [await stage.person(), await stage.person(name)];
	const a = await stage.signedIn(alice);
	await a.startWith(name);
	await a.write("hello");
	await a.comesTo("hello", "Saved");
	const [{ id }] = (await bob.call("GET", "/conversations")).conversations;
	const client = await bob.client();
	await client.react({ conversation: id, seq: 1, reaction: "constructor" }).saved;
	await client.react({ conversation: id, seq: 1, reaction: FAMILY }).saved;
	await a.reaction("hello", "constructor", 1).waitFor();
	await a.reaction("hello", FAMILY, 1).waitFor();
	assert.equal(await textOf(a.box), "");
}));
