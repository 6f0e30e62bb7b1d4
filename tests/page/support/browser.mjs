/**
 * browser - Debian's Chromium, and pages in it that note every fault: violations of the
 * Content-Security-Policy, errors of scripts and of the console, requests that fail or leave the
 * origin.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";

import { axeSource, chromium } from "./packages.mjs";

export const ORIGIN = process.env.PARLEY_URL;
export const SHOTS = "build/test-logs/page";
// A bound on hanging: a busy machine takes several times as long as a quiet one.
export const HANG_MS = Number(process.env.PARLEY_PAGE_HANG_MS ?? 120_000);

export async function startBrowser(options = {}) {
	mkdirSync(SHOTS, { recursive: true });
	return chromium.launch({
		...options,
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		// Chromium's sandbox does not work for root, and /dev/shm is small in some containers.
		args: [...(process.getuid() === 0 ? ["--no-sandbox"] : []), "--disable-dev-shm-usage"],
	});
}

/** A page of a context of its own. `faults` is the list of what went wrong on it. */
export async function openPage(browser, path, options = {}) {
	const context = await openContext(browser, options);
	const { page, faults } = await openTab(context, options.baseURL);
	if (path) {
		await page.goto(path);
		if (options.javaScriptEnabled !== false) {
			await page.getByRole("article").first().waitFor();
		}
	}
	return { page, faults };
}

/** What one person's browser is: its tabs share cookies and storage. */
export async function openContext(browser, options = {}) {
	const context = await browser.newContext({ baseURL: ORIGIN, viewport: { width: 1440, height: 900 }, ...options });
	context.setDefaultTimeout(HANG_MS);
	return context;
}

/** A page of this context, and the list of what went wrong on it. */
export async function openTab(context, origin = ORIGIN) {
	const page = await context.newPage();
	const faults = [];
	const own = [`${origin}/`, `${origin.replace("http", "ws")}/ws`];
	await page.exposeFunction("noteViolation", (what) => faults.push(`policy: ${what}`));
	await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) =>
		window.noteViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type())) {
			faults.push(`console: ${message.text()}`);
		}
	});
	page.on("pageerror", (error) => faults.push(`script: ${error}`));
	page.on("request", (request) => {
		if (!own.some((one) => request.url().startsWith(one))) {
			faults.push(`another origin: ${request.url()}`);
		}
	});
	page.on("requestfailed", (request) => faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
	return { page, faults };
}

/** Runs `look` on a page, closes it, and demands that nothing went wrong but `expected`. */
export async function onPage(browser, path, options, look, expected = []) {
	const { page, faults } = await openPage(browser, path, options);
	try {
		await look(page);
		const unexpected = faults.filter((fault) => !expected.some((one) => one.test(fault)));
		assert.deepEqual(unexpected, []);
	} finally {
		await page.context().close();
	}
}

/** What axe finds in the page, or within what the selector names, in a line each. */
export async function axe(page, within = "html") {
	await page.evaluate(axeSource);
	const { violations } = await page.evaluate((where) => window.axe.run(where, { resultTypes: ["violations"] }), within);
	return violations.flatMap((violation) => violation.nodes.map((node) =>
		`${violation.id}: ${node.target.join(" ")}: ${node.failureSummary.replace(/\s+/g, " ")}`));
}

export function call(page, name) {
	return page.getByRole("article", { name, exact: true });
}

/** Presses `Try it` of a call, and returns its region `Answer` with the new answer. */
export async function tryIt(page, name) {
	const article = call(page, name);
	const status = article.getByRole("status").first();
	await status.evaluate((node) => node.replaceChildren());
	await article.getByRole("button", { name: "Try it" }).click();
	await status.filter({ hasText: /^\d{3} / }).waitFor();
	return article.getByRole("region", { name: "Answer" });
}
