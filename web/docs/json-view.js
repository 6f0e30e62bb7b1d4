/** json-view - shows JSON with its kinds of values told apart, in a box that scrolls by keys. */
import { element } from "../dom.js";

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;
// Colours for longer texts cost more than they help.
const COLOURED_MAX = 100_000;

/** A named box with a text; JSON is coloured. */
export function textBox(name, text, isJson = true) {
	return element("pre", { class: "box", tabindex: "0", role: "group", "aria-label": name },
		element("code", {}, isJson && text.length <= COLOURED_MAX ? coloured(text) : text));
}

/** A value as JSON of several lines. */
export function jsonBox(name, value) {
	return textBox(name, JSON.stringify(value, null, 2));
}

function coloured(text) {
	const parts = [];
	let end = 0;
	for (const found of text.matchAll(TOKEN)) {
		const [whole, quoted, colon, word] = found;
		parts.push(text.slice(end, found.index));
		end = found.index + whole.length;
		if (colon) {
			parts.push(element("span", { class: "key" }, quoted), colon);
		} else {
			parts.push(element("span", { class: quoted ? "string" : word ? "word" : "number" }, whole));
		}
	}
	parts.push(text.slice(end));
	return parts;
}
