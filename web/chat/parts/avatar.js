/** avatar - a circle with the first letter of a name, in a colour that belongs to the id. */
import { element } from "../../dom.js";

const COLOURS = 8;
const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Decoration only: the name stands beside it. */
export function avatar(name, id, className = "") {
	const first = segments.segment(name)[Symbol.iterator]().next().value?.segment ?? "";
	return element("span", { class: `avatar tint${id % COLOURS} ${className}`.trim(), "aria-hidden": "true" },
		first.toLocaleUpperCase());
}
