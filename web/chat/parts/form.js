/** form - fields with labels, and forms that ask the server and say what went wrong. */
import { element, newId } from "../../dom.js";
import { alertIn } from "./dialog.js";
import { plain } from "./plain.js";

/** What the reader has to put right in `field`. */
export class Unfit extends Error {
	constructor(text, field) {
		super(text);
		this.field = field;
	}
}

/** A label, its input, and a note below it. */
export function field(label, input, note) {
	input.id ||= newId("field");
	const about = note ? element("p", { id: newId("note"), class: "note" }, note) : null;
	if (about) {
		input.setAttribute("aria-describedby", about.id);
	}
	return element("div", { class: "field" }, element("label", { for: input.id }, label), input, about);
}

/** {node, input}: a check box with its label. */
export function newCheck(label, changed) {
	const input = element("input", { type: "checkbox", onchange: changed });
	return { input, node: element("label", { class: "check" }, input, label) };
}

export function textInput(properties = {}) {
	return element("input", { type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...properties });
}

/**
 * A form whose submit calls `submit`, once at a time. What it throws is the form's alert. `words`
 * are sentences for codes of errors, see plain().
 */
export function formOf({ submit, words, label }, ...children) {
	const form = element("form", { novalidate: true, "aria-label": label }, children);
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		attempt(form, submit, words);
	});
	return form;
}

/** Calls `act`, once at a time for `container`; shows there what it throws. True if it went well. */
export async function attempt(container, act, words) {
	if (container.getAttribute("aria-busy") === "true") {
		return false;
	}
	container.setAttribute("aria-busy", "true");
	alertIn(container, null);
	try {
		await act();
		return true;
	} catch (error) {
		alertIn(container, error instanceof Unfit ? error.message : plain(error, words), error.field);
		return false;
	} finally {
		container.removeAttribute("aria-busy");
	}
}

/** Whether this key enters what was typed; not one that ends a composition. */
export function isEnter(event) {
	return event.key === "Enter" && !event.isComposing && event.keyCode !== 229;
}

/** The text of an input without white space round it; Unfit with `text` if there is none. */
export function needed(input, text) {
	const value = input.value.trim();
	if (!value) {
		throw new Unfit(text, input);
	}
	return value;
}
