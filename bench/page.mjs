/**
 * page.mjs MESSAGES READERS - measures the page at `/` in Chromium. bench/page.py starts it.
 *
 * It makes two groups of so many messages, says {} when they are there, and then reads orders from
 * its input: {"order": NAME, …}, one a line. It answers each with one line. The end of the input ends it.
 *
 *	visit     bytes and times of a first visit, and of a reload
 *	opening   {turn}: from the click on a conversation to its messages
 *	frames    {rate, seconds}: frames while messages arrive
 *	begin, step {messages}, end    memory
 *
 * Environment: PARLEY_URL, PARLEY_NODE_PACKAGES as for `make page`.
 */
import { createInterface } from "node:readline";

import { startBrowser } from "../tests/page/support/browser.mjs";
import { frames } from "./page/frames.mjs";
import { begin, end, step } from "./page/memory.mjs";
import { opening } from "./page/opening.mjs";
import { makePlaces } from "./page/places.mjs";
import { visit } from "./page/visit.mjs";

const ORDERS = { visit, opening, frames, begin, step, end };

const [messages, readers] = process.argv.slice(2).map(Number);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const lines = createInterface({ input: process.stdin });
const browser = await startBrowser();

async function leave(code) {
	await browser.close();
	process.exit(code);
}

async function failed(error) {
	console.error(error);
	await leave(1);
}

lines.on("close", () => leave(0));
try {
	const scene = await makePlaces(messages, readers);
	lines.on("line", (line) => {
		const { order, ...options } = JSON.parse(line);
		ORDERS[order](browser, scene, options).then(say, failed);
	});
	say({});
} catch (error) {
	await failed(error);
}
