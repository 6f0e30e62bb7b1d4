/**
 * memory - what the page keeps, after garbage collection, at the beginning and after each step of
 * messages that arrive, conversations that are opened in turns, and history that is scrolled through.
 */
import { until } from "../../tests/page/support/people.mjs";
import { faultsOf, Reader } from "./reader.mjs";

/* More than the page keeps of a conversation. */
const SCROLLED = 400;
const WHEEL_PX = 1500;
const WHEEL_MS = 50;
const TURNS = 2;

let reader;
let session;

export async function begin(browser, { places, people: [person] }) {
	reader = await Reader.signedIn(browser, person);
	session = await reader.session();
	for (const place of [...places, places[0]]) {
		await reader.open(place);
		await reader.readAll(place);
	}
	return kept();
}

export async function step(browser, { places: [place, other] }, { messages }) {
	await place.fill(messages);
	await reader.ends(place);
	for (let turn = 0; turn < TURNS; turn++) {
		await reader.open(other);
		await reader.open(place);
		await reader.ends(place);
	}
	const numbers = await reader.numbers();
	await scrollBack(numbers.at(-1) - SCROLLED);
	await reader.readAll(place);
	return { ...await kept(), faults: faultsOf(numbers) };
}

export async function end() {
	await reader.end();
	return {};
}

async function scrollBack(number) {
	await reader.chat.log.hover();
	await until(`message ${number} is there`, async () => {
		await reader.page.mouse.wheel(0, -WHEEL_PX);
		await reader.page.waitForTimeout(WHEEL_MS);
		return (await reader.numbers())[0] <= number;
	});
}

/* A second collection takes what finalizers of the first have let go of. */
async function kept() {
	await session.send("HeapProfiler.collectGarbage");
	await session.send("HeapProfiler.collectGarbage");
	const { usedSize: heap_bytes } = await session.send("Runtime.getHeapUsage");
	const { nodes, jsEventListeners: listeners } = await session.send("Memory.getDOMCounters");
	return { heap_bytes, nodes, listeners };
}
