/** opening - from the click on a conversation of many messages until messages of it are painted. */
import { Reader } from "./reader.mjs";

const ROUNDS = 5;

/** `turn` selects a person who has read nothing. */
export async function opening(browser, { places, people }, { turn }) {
	const reader = await Reader.signedIn(browser, people[1 + turn]);
	const result = { unread_ms: [], first_ms: [], again_ms: [] };
	for (const place of places) {
		result.unread_ms.push(await reader.open(place));
		await reader.readAll(place);
	}
	// A new document has no message in its memory.
	await reader.page.goto("about:blank");
	await reader.page.goto("/");
	await reader.chat.ready();
	for (const place of places) {
		result.first_ms.push(await reader.open(place));
		await reader.ends(place);
	}
	for (let round = 0; round < ROUNDS; round++) {
		for (const place of places) {
			result.again_ms.push(await reader.open(place));
			await reader.ends(place);
		}
	}
	await reader.end();
	return result;
}
