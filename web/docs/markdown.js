/**
 * markdown - the part of Markdown that the papers use, as elements: paragraphs, lists,
 * `code`, **strong**, and links to http and https. Everything else stays as it is written.
 */
import { element } from "../dom.js";

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https?:\/\/[^)\s]+)\)/g;

/** The text of one line, as text nodes and elements. */
export function inline(text) {
	const parts = [];
	let end = 0;
	for (const found of text.matchAll(INLINE)) {
		parts.push(text.slice(end, found.index));
		end = found.index + found[0].length;
		if (found[1]) {
			parts.push(element("code", {}, found[1]));
		} else if (found[2]) {
			parts.push(element("strong", {}, found[2]));
		} else {
			parts.push(element("a", { href: found[4], rel: "noopener" }, found[3]));
		}
	}
	parts.push(text.slice(end));
	return parts.filter((part) => part !== "");
}

/** A text of several lines, as paragraphs and lists. */
export function blocks(text) {
	return (text ?? "").trim().split(/\n\s*\n/).filter(Boolean).map((block) => {
		if (/^[-*] /.test(block)) {
			return element("ul", {}, block.split(/\n(?=[-*] )/).map((item) =>
				element("li", {}, inline(item.slice(2).replace(/\s*\n\s*/g, " ")))));
		}
		return element("p", {}, inline(block.replace(/\s*\n\s*/g, " ")));
	});
}
