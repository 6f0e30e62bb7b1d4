/** visit - the first visit of a browser that has nothing yet, and a reload. */
import { Reader } from "./reader.mjs";
import { Wire } from "./wire.mjs";

export async function visit(browser, { places: [place], people: [person] }) {
	return { ...await weighed(browser, place, person), ...await timed(browser, place, person) };
}

async function weighed(browser, place, person) {
	const reader = await Reader.begin(browser);
	const wire = await Wire.of(reader);
	await reader.page.goto("/");
	await reader.first("form");
	const form_bytes = await wire.total();
	await reader.signIn(person);
	await reader.open(place);
	const chat_bytes = await wire.total();
	await reader.end();
	return { form_bytes, chat_bytes, requests: wire.requests };
}

/* Another browser, because counting takes time. */
async function timed(browser, place, person) {
	const reader = await Reader.begin(browser);
	await reader.page.goto("/");
	const form_ms = await reader.first("form");
	await reader.signIn(person);
	await reader.open(place);
	await reader.readAll(place);
	await reader.page.reload();
	const reload_ms = await reader.first("box");
	const reload_messages_ms = await reader.first("messages");
	await reader.end();
	return { form_ms, reload_ms, reload_messages_ms };
}
