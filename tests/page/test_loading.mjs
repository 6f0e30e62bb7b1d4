/** How Chromium loads the pages: no module waits for another one. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { HANG_MS, openPage, startBrowser } from "./support/browser.mjs";

let browser;
before(async () => { browser = await startBrowser(); }, { timeout: HANG_MS });
after(() => browser?.close());

for (const path of ["/", "/docs/", "/docs/events/"]) {
	test(`${path}: the document asks for each file, once`, async () => {
		const { page, faults } = await openPage(browser);
		const session = await page.context().newCDPSession(page);
		await session.send("Network.enable");
		const asked = [];
		session.on("Network.requestWillBeSent", ({ request, initiator }) =>
			asked.push({ name: new URL(request.url).pathname, by: initiator.type }));
		await page.goto(path, { waitUntil: "networkidle" });

		const code = asked.filter(({ name }) => /\.(js|css)$/.test(name));
		const named = await page.locator("script[src], link[rel=modulepreload], link[rel=stylesheet]")
			.evaluateAll((nodes) => nodes.map((node) => new URL(node.src ?? node.href).pathname));
		assert.ok(named.some((name) => name.endsWith(".js")) && named.some((name) => name.endsWith(".css")));
		assert.deepEqual(code.map(({ name }) => name).sort(), named.sort());
		assert.deepEqual(code.filter(({ by }) => by !== "parser"), []);
		assert.deepEqual(faults, []);
		await page.context().close();
	});
}
