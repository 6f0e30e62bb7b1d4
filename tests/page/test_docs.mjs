/** /docs/ in Chromium, before the running services. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { axe, call, HANG_MS, onPage, openPage, ORIGIN, SHOTS, startBrowser, tryIt } from "./support/browser.mjs";

const PASSWORD = "correct horse 1";
const DENIED = [/status of 401/];
const METHODS = ["get", "post", "put", "patch", "delete"];

let browser;
let alice;
before(async () => {
	browser = await startBrowser();
	alice = await register();
}, { timeout: HANG_MS });
after(() => browser?.close());

async function register() {
	const name = `person-${randomBytes(6).toString("hex")}`;
	const answer = await fetch(`${ORIGIN}/auth/register`, {
		method: "POST", headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ name, password: PASSWORD }),
	});
	assert.equal(answer.status, 201);
	return { name, ...(await answer.json()) };
}

async function paperOf(page) {
	return page.evaluate(async () => (await fetch(document.getElementById("paper").href)).json());
}

/** The names that Chromium gives to assistive technology; Playwright works out its own. */
async function namesIn(page, role) {
	const session = await page.context().newCDPSession(page);
	const { nodes } = await session.send("Accessibility.getFullAXTree");
	return nodes.filter((node) => node.role?.value === role).map((node) => node.name?.value);
}

function resolved(paper, value) {
	return value.$ref ? value.$ref.slice(2).split("/").reduce((at, part) => at[part], paper) : value;
}

const onDocs = (look, expected, options) => onPage(browser, "/docs/", options, look, expected);
const textOf = (answer) => answer.getByRole("group", { name: "Body of the answer" }).innerText();

// --- what is there ------------------------------------------------------------------
test("every call has its article, fields, body and button", () => onDocs(async (page) => {
	const paper = await paperOf(page);
	const names = [];
	for (const [path, item] of Object.entries(paper.paths)) {
		for (const method of METHODS.filter((one) => item[one])) {
			const name = `${method.toUpperCase()} ${path}`;
			names.push(name);
			const article = call(page, name);
			assert.equal(await article.count(), 1, name);
			assert.ok((await article.innerText()).includes(item[method].summary.replaceAll("`", "")), name);
			for (const parameter of [...(item.parameters ?? []), ...(item[method].parameters ?? [])]) {
				const field = article.getByLabel(resolved(paper, parameter).name, { exact: true });
				assert.equal(await field.count(), 1, `${name}: ${JSON.stringify(parameter)}`);
			}
			const body = article.getByRole("textbox", { name: "Body", exact: true });
			assert.equal(await body.count(), item[method].requestBody ? 1 : 0, name);
			if (item[method].requestBody) {
				assert.notEqual(await body.inputValue(), "", name);
			}
			assert.equal(await article.getByRole("button", { name: "Try it" }).count(), 1, name);
			for (const code of Object.keys(item[method].responses)) {
				assert.ok((await article.innerText()).includes(code), `${name}: ${code}`);
			}
		}
	}
	assert.equal(await page.getByRole("article").count(), names.length);
	assert.deepEqual((await namesIn(page, "article")).sort(), names.sort());
	assert.equal(await page.getByRole("navigation", { name: "Calls" }).getByRole("link").count(), names.length);
	assert.equal(await page.title(), "Parley REST API");
}));

test("every message of every channel has its article", () =>
	onPage(browser, "/docs/events/", {}, async (page) => {
		const paper = await paperOf(page);
		const keys = Object.values(paper.channels).flatMap((channel) => Object.keys(channel.messages));
		const found = await page.getByRole("article").getByRole("heading", { level: 3 }).allInnerTexts();
		assert.deepEqual(found.sort(), keys.sort());
		const sent = await page.getByRole("article", { name: "send", exact: true }).innerText();
		for (const word of ["A message to a user or to a conversation", "user_to", "reply_to", "01936f5e"]) {
			assert.ok(sent.includes(word), word);
		}
		assert.ok((await page.locator("#message_save-save").innerText()).includes("Key"));
	}));

test("/docs leads to /docs/, and the pages to each other and to the papers", () =>
	onPage(browser, null, {}, async (page) => {
		await page.goto("/docs");
		assert.equal(page.url(), `${ORIGIN}/docs/`);
		await page.getByRole("link", { name: "Events" }).click();
		await page.getByRole("heading", { name: /^Parley events/ }).waitFor();
		const paper = await page.getByRole("link", { name: "asyncapi.yaml" }).evaluate((link) => link.href);
		assert.equal(paper, `${ORIGIN}/docs/asyncapi.yaml`);
		await page.getByRole("link", { name: "REST" }).click();
		await page.getByRole("heading", { name: /^Parley REST/ }).waitFor();
		await page.goBack();
		await page.getByRole("heading", { name: /^Parley events/ }).waitFor();
	}));

test("without JavaScript the pages name their papers", async () => {
	for (const [path, paper] of [["/docs/", "/docs/openapi.yaml"], ["/docs/events/", "/docs/asyncapi.yaml"]]) {
		const text = await (await fetch(ORIGIN + path)).text();
		assert.match(text, new RegExp(`<noscript>.*href="${paper}".*</noscript>`));
	}
});

// --- a call for real -----------------------------------------------------------------
test("POST /auth/login, then GET /auth/status with its token", () => onDocs(async (page) => {
	const login = call(page, "POST /auth/login");
	const body = login.getByRole("textbox", { name: "Body" });
	assert.deepEqual(JSON.parse(await body.inputValue()), { name: "alice", password: PASSWORD });
	await body.fill(JSON.stringify({ name: alice.name, password: PASSWORD }));
	const answer = await tryIt(page, "POST /auth/login");
	assert.match(await answer.innerText(), /200 OK/);
	assert.equal(JSON.parse(await textOf(answer)).user.name, alice.name);
	await answer.getByRole("button", { name: "Use this token" }).click();
	assert.equal(await page.getByRole("textbox", { name: "Token" }).inputValue(), JSON.parse(await textOf(answer)).token);
	const status = await tryIt(page, "GET /auth/status");
	assert.equal((await namesIn(page, "region")).filter((name) => name === "Answer").length, 2);
	assert.match(await status.innerText(), /200 OK[^]*content-type[^]*application\/json/);
	assert.equal(JSON.parse(await textOf(status)).user.id, alice.user.id);
	await page.screenshot({ path: `${SHOTS}/answer.png` });
}));

test("a typed token, and one that is not good", () => onDocs(async (page) => {
	const token = page.getByRole("textbox", { name: "Token", exact: true });
	await token.fill("not.a.token");
	let answer = await tryIt(page, "GET /auth/status");
	assert.match(await answer.innerText(), /401[^]*www-authenticate[^]*Bearer/);
	assert.equal(JSON.parse(await textOf(answer)).status, 401);
	await token.fill(` ${alice.token} `);
	answer = await tryIt(page, "GET /auth/status");
	assert.match(await answer.innerText(), /200 OK/);
}, DENIED));

test("parameters of the path and the query, forms, other content types, no body", () => onDocs(async (page) => {
	const bob = await register();
	await page.getByRole("textbox", { name: "Token" }).fill(alice.token);
	const fill = (name, field, text) => call(page, name).getByRole("textbox", { name: field, exact: true }).fill(text);
	await fill("GET /auth/users/{id}", "id", String(bob.user.id));
	assert.equal(JSON.parse(await textOf(await tryIt(page, "GET /auth/users/{id}"))).name, bob.name);
	await fill("GET /auth/users", "ids", `${alice.user.id},${bob.user.id}`);
	assert.equal(JSON.parse(await textOf(await tryIt(page, "GET /auth/users"))).users.length, 2);
	await fill("GET /auth/users", "ids", "");
	await fill("GET /auth/users", "name", bob.name);
	assert.equal(JSON.parse(await textOf(await tryIt(page, "GET /auth/users"))).id, bob.user.id);
	await fill("PUT /blocks/{user}", "user", String(bob.user.id));
	assert.match(await (await tryIt(page, "PUT /blocks/{user}")).innerText(), /204[^]*No body/);
	await fill("POST /token", "Body", `grant_type=password&username=${alice.name}&password=correct+horse+1`);
	assert.equal(JSON.parse(await textOf(await tryIt(page, "POST /token"))).token_type, "bearer");
	const profile = call(page, "PATCH /auth/profile");
	await profile.getByRole("combobox", { name: "Content type" }).selectOption("application/merge-patch+json");
	await fill("PATCH /auth/profile", "Body", '{"about":"here"}');
	assert.equal(JSON.parse(await textOf(await tryIt(page, "PATCH /auth/profile"))).about, "here");
	const login = call(page, "POST /auth/login");
	await login.getByRole("combobox", { name: "Content type" }).selectOption("application/x-www-form-urlencoded");
	assert.equal(await login.getByRole("textbox", { name: "Body" }).inputValue(), "name=alice&password=correct+horse+1");
}));

test("a missing parameter of the path is said, and nothing is sent", () => onDocs(async (page) => {
	const sent = [];
	page.on("request", (request) => sent.push(request.url()));
	const article = call(page, "GET /auth/users/{id}");
	await article.getByRole("button", { name: "Try it" }).click();
	await article.getByRole("alert").filter({ hasText: "id is needed." }).waitFor();
	const field = article.getByRole("textbox", { name: "id" });
	assert.ok(await field.evaluate((node) => node === document.activeElement));
	assert.equal(await field.getAttribute("aria-invalid"), "true");
	assert.deepEqual(sent, []);
}));

test("a server that is away is said", () => onDocs(async (page) => {
	await page.context().setOffline(true);
	const article = call(page, "GET /readyz");
	await article.getByRole("button", { name: "Try it" }).click();
	await article.getByRole("alert").filter({ hasText: "the server cannot be reached" }).waitFor();
	await page.context().setOffline(false);
	assert.match(await (await tryIt(page, "GET /readyz")).innerText(), /200 OK/);
}, [/ERR_INTERNET_DISCONNECTED/, /^failed: /]));

test("text of strangers is no HTML", () => onDocs(async (page) => {
	await page.getByRole("textbox", { name: "Token" }).fill(alice.token);
	const text = "<img src=x onerror=alert(1)>";
	await call(page, "PATCH /auth/profile").getByRole("textbox", { name: "Body" }).fill(JSON.stringify({ about: text }));
	const answer = await tryIt(page, "PATCH /auth/profile");
	assert.equal(JSON.parse(await textOf(answer)).about, text);
	assert.equal(await answer.locator("img").count(), 0);
}));

test("the token is kept nowhere", () => onDocs(async (page) => {
	await page.getByRole("textbox", { name: "Token" }).fill(alice.token);
	await tryIt(page, "GET /auth/status");
	const kept = await page.evaluate(async () => [localStorage.length, sessionStorage.length, document.cookie,
		(await indexedDB.databases()).length, (await caches.keys()).length, history.state, location.href]);
	assert.deepEqual(kept, [0, 0, "", 0, 0, null, `${ORIGIN}/docs/`]);
	assert.deepEqual(await page.context().cookies(), []);
	for (const again of ["reload", "goBack"]) {
		if (again === "goBack") {
			await page.getByRole("textbox", { name: "Token" }).fill(alice.token);
			await page.goto("/docs/events/");
		}
		await page[again]();
		await page.getByRole("article").first().waitFor();
		const value = await page.getByRole("textbox", { name: "Token" }).inputValue();
		// A page that comes back from the browser's memory is the same page.
		assert.ok(value === "" || again === "goBack" && value === alice.token, again);
	}
}, [/^failed: .* net::ERR_ABORTED/]));

// --- the policy -------------------------------------------------------------------------
const ATTEMPTS = {
	"HTML from text": ["require-trusted-types-for", () => { document.body.innerHTML = "<b>x</b>"; }],
	"a policy for HTML": ["trusted-types", () => trustedTypes.createPolicy("x", {})],
	"a script": ["require-trusted-types-for", () => { document.createElement("script").src = "/x.js"; }],
	"an inline style": ["style-src-attr", () => document.body.setAttribute("style", "color: red")],
	"a style element": ["style-src-elem", () => {
		const style = document.createElement("style");
		style.append("b { color: red }");
		document.head.append(style);
	}],
	"an image of another origin": ["img-src", () => { new Image().src = "http://127.0.0.1:1/x.png"; }],
	"a request to another origin": ["connect-src", () => fetch("http://127.0.0.1:1/")],
	"a socket of another origin": ["connect-src", () => new WebSocket("ws://127.0.0.1:1/")],
	"a frame": ["frame-src", () => {
		const frame = document.createElement("iframe");
		frame.src = "/docs/";
		document.body.append(frame);
	}],
	"a form to another origin": ["form-action", () => {
		const form = document.createElement("form");
		form.action = "http://127.0.0.1:1/";
		document.body.append(form);
		form.submit();
	}],
	"another base": ["base-uri", () => {
		const base = document.createElement("base");
		base.href = "/x/";
		document.head.append(base);
	}],
};

test("the policy of the page refuses what pages could be attacked with", async () => {
	for (const [what, [directive, attempt]] of Object.entries(ATTEMPTS)) {
		const { page, faults } = await openPage(browser, "/docs/events/");
		const refused = page.waitForFunction((wanted) => window.refused?.includes(wanted), directive);
		await page.evaluate(() => {
			window.refused = [];
			document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.effectiveDirective));
		});
		await page.evaluate(attempt).catch(() => {});
		await refused;
		assert.ok(faults.some((fault) => fault.startsWith(`policy: ${directive} `)), what);
		await page.context().close();
	}
});

test("the policy allows the socket of this origin", () => onDocs(async (page) => {
	const ended = await page.evaluate((token) => new Promise((resolve) => {
		const socket = new WebSocket(`ws://${location.host}/ws`, ["parley", `bearer.${token}`]);
		socket.onmessage = ({ data }) => resolve(JSON.parse(data).type);
		socket.onerror = () => resolve("error");
	}), alice.token);
	assert.equal(ended, "welcome");
}));

// --- finding one's way ----------------------------------------------------------------
test("the search shows the calls with all of the words", () => onDocs(async (page) => {
	const search = page.getByRole("searchbox", { name: "Search" });
	const shown = () => page.getByRole("article").getByRole("heading", { level: 3 }).allInnerTexts();
	const all = (await shown()).length;
	await search.fill("blocks DELETE");
	assert.deepEqual(await shown(), ["DELETE /blocks/{user}"]);
	await page.getByRole("status").filter({ hasText: `1 of ${all} calls` }).waitFor();
	assert.equal(await page.getByRole("navigation", { name: "Calls" }).getByRole("link").count(), 1);
	await search.fill("no such call");
	assert.deepEqual(await shown(), []);
	await search.press("Escape");
	assert.equal((await shown()).length, all);
}));

test("an address leads to its call, and Back to the one before", () =>
	onPage(browser, "/docs/#sync", {}, async (page) => {
		const inView = (name) => page.waitForFunction((heading) => [...document.querySelectorAll("article")].some((one) =>
			one.querySelector("h3").innerText === heading && Math.abs(one.getBoundingClientRect().top) < 200), name);
		await inView("GET /sync");
		await page.getByRole("navigation", { name: "Calls" }).locator('[aria-current="location"]')
			.filter({ hasText: "/sync" }).waitFor();
		await page.getByRole("navigation", { name: "Calls" }).getByRole("link", { name: "POST /auth/login", exact: true }).click();
		await inView("POST /auth/login");
		await page.goBack();
		await inView("GET /sync");
	}));

test("the keyboard alone does everything", () => onDocs(async (page) => {
	const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.id);
	const tabTo = async (wanted) => {
		for (let steps = 0; steps < 400; steps += 1) {
			await page.keyboard.press("Tab");
			const at = await page.evaluate(() => {
				const { activeElement: one } = document;
				const outline = getComputedStyle(one).outlineStyle;
				return { text: one.innerText || one.id, article: one.closest("article")?.id, outline };
			});
			assert.notEqual(at.outline, "none", `no ring around ${at.text}`);
			if (wanted(at)) {
				return;
			}
		}
		assert.fail("the keyboard does not get there");
	};
	await page.keyboard.press("Tab");
	assert.equal(await focused(), "Skip to the calls");
	await tabTo((at) => at.text === "token");
	await page.keyboard.type(alice.token);
	await tabTo((at) => /GET\s*\/auth\/status/.test(at.text));
	await page.keyboard.press("Enter");
	await tabTo((at) => at.text === "Try it" && at.article === "status");
	await page.keyboard.press("Enter");
	await call(page, "GET /auth/status").getByRole("region", { name: "Answer" }).getByText("200").waitFor();
	// Enter in a field, and Ctrl+Enter in a body, are the button.
	const id = call(page, "GET /auth/users/{id}").getByRole("textbox", { name: "id" });
	await id.focus();
	await page.keyboard.type(String(alice.user.id));
	await page.keyboard.press("Enter");
	await call(page, "GET /auth/users/{id}").getByRole("region", { name: "Answer" }).getByText("200").waitFor();
	await call(page, "POST /auth/login").getByRole("textbox", { name: "Body" }).focus();
	await page.keyboard.press("Control+A");
	await page.keyboard.type(JSON.stringify({ name: alice.name, password: PASSWORD }));
	await page.keyboard.press("Control+Enter");
	await call(page, "POST /auth/login").getByRole("region", { name: "Answer" }).getByText("200", { exact: true }).waitFor();
}));

test("on a phone the contents are behind a button", () => onDocs(async (page) => {
	const list = page.getByRole("navigation", { name: "Calls" });
	assert.equal(await list.count(), 0);
	const button = page.getByRole("button", { name: "Contents" });
	await button.click();
	assert.equal(await button.getAttribute("aria-expanded"), "true");
	await page.screenshot({ path: `${SHOTS}/contents-phone.png` });
	await list.getByRole("link", { name: "GET /sync" }).click();
	assert.equal(await button.getAttribute("aria-expanded"), "false");
	assert.equal(await list.count(), 0);
}, [], { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }));

// --- how it looks ---------------------------------------------------------------------
async function openAll(page) {
	for (let rounds = 0; rounds < 6; rounds += 1) { // what opens may hold more
		await page.evaluate(() => {
			document.querySelectorAll("details:not([open])").forEach((one) => { one.open = true; });
			return new Promise((resolve) => { setTimeout(resolve); }); // after the toggle events
		});
	}
}

describe("axe finds nothing", () => {
	for (const path of ["/docs/", "/docs/events/"]) {
		for (const [colorScheme, width] of [["light", 1440], ["dark", 320]]) {
			test(`${path} ${colorScheme} ${width}`, { timeout: HANG_MS * 3 }, () =>
				onPage(browser, path, { colorScheme, viewport: { width, height: 900 }, reducedMotion: "reduce" }, async (page) => {
					const name = `${SHOTS}/${path.split("/").at(-2)}-${colorScheme}-${width}`;
					await page.screenshot({ path: `${name}.png` });
					if (path === "/docs/") {
						await tryIt(page, "GET /readyz");
					}
					await openAll(page);
					if (width === 320) {
						await page.getByRole("button", { name: "Contents" }).click();
					}
					assert.deepEqual(await axe(page), []);
					assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
						"it is wider than the window");
				}));
		}
	}
});

test("nothing moves for those who do not want it", () => onDocs(async (page) => {
	const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
		const style = getComputedStyle(one);
		return style.transitionDuration !== "0s" || style.animationName !== "none" || style.scrollBehavior === "smooth";
	}).length);
	assert.equal(moving, 0);
}, [], { reducedMotion: "reduce" }));

test("with forced colours the current link and the focus are seen", () =>
	onPage(browser, "/docs/#sync", { forcedColors: "active" }, async (page) => {
		const link = page.getByRole("navigation", { name: "Calls" }).locator('[aria-current="location"]');
		await link.waitFor();
		assert.notEqual(await link.evaluate((node) => getComputedStyle(node).outlineStyle), "none");
	}));

test("a first visit loads little, and a second one asks for the document only", async () => {
	const { page, faults } = await openPage(browser, null);
	const session = await page.context().newCDPSession(page);
	await session.send("Network.enable");
	let bytes = 0;
	session.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
	await page.goto("/docs/", { waitUntil: "networkidle" });
	assert.ok(bytes > 20_000 && bytes < 60_000, `${bytes} bytes`);
	console.log(`a first visit of /docs/ loads ${bytes} bytes`);
	await page.goto("/docs/events/", { waitUntil: "networkidle" });
	await page.goto("/docs/", { waitUntil: "networkidle" });
	const entries = await page.evaluate(() => performance.getEntriesByType("resource")
		.filter((entry) => entry.transferSize > 0).map((entry) => entry.name));
	assert.deepEqual(entries, []);
	assert.deepEqual(faults, []);
	await page.context().close();
});
