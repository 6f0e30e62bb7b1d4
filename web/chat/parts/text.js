/** text - texts of people in the page: never HTML, links to http and https only. */
import { element } from "../../dom.js";

const LINK = /\bhttps?:\/\/[^\s<>"'`\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
/* What ends a sentence rather than an address. */
const TAIL = /[.,;:!?…'"*_~]+$/;

/** Nodes of a text whose addresses are links. */
export function linked(text) {
	const nodes = [];
	let from = 0;
	for (const match of text.matchAll(LINK)) {
		const address = withoutTail(match[0]);
		if (!URL.canParse(address)) {
			continue;
		}
		nodes.push(text.slice(from, match.index),
			element("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, address));
		from = match.index + address.length;
	}
	nodes.push(text.slice(from));
	return nodes.filter((node) => node !== "");
}

/* A closing bracket belongs to the address only if it has an opening one. */
function withoutTail(address) {
	for (let cut = address; ; address = cut) {
		cut = address.replace(TAIL, "");
		const last = cut.at(-1);
		const open = { ")": "(", "]": "[", "}": "{" }[last];
		if (open && cut.split(open).length < cut.split(last).length) {
			cut = cut.slice(0, -1);
		}
		if (cut === address) {
			return address;
		}
	}
}

/** The beginning of a text in one line. */
export function excerpt(text, length = 120) {
	const line = text.slice(0, length * 4).replace(/\s+/gu, " ").trim();
	const characters = [...line];
	return characters.length > length ? `${characters.slice(0, length).join("")}…` : line;
}

const encoder = new TextEncoder();

/** Bytes of UTF-8. */
export const byteLength = (text) => encoder.encode(text).length;

/** The key writes a character by an input method: Enter then chooses, and sends nothing. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
