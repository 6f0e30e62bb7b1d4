/** dialog - native modal dialogs: one with a title and a Close button, one that asks, and alerts in forms. */
import { element, newId } from "../../dom.js";

const CROSS = "M6 6 L18 18 M18 6 L6 18";
const SVG = "http://www.w3.org/2000/svg";

const open = new Set();

/**
 * Opens a dialog: {node, close(), closed}. `title` names it; a text or nodes. The element of
 * `content` with the attribute `autofocus` gets the focus, else the dialog. Escape, Close and a
 * new address close it; then the focus goes back to where it was, the dialog is removed, and the
 * promise `closed` resolves.
 */
export function openDialog({ title, content, className, role }) {
	const heading = element("h2", { id: newId("dialog") }, title);
	const node = element("dialog", { class: `dialog ${className ?? ""}`.trim(), role, "aria-labelledby": heading.id },
		element("div", { class: "dialog-head" }, heading, role === "alertdialog" ? null : closeButton(() => node.close())),
		element("div", { class: "dialog-body" }, content));
	return show(node);
}

/** Asks: resolves with true for the button `action`, with false for Cancel and Escape. */
export async function confirm({ title, text, action }) {
	const about = newId("about");
	let agreed = false;
	const agree = () => {
		agreed = true;
		dialog.close();
	};
	const dialog = openDialog({
		title, role: "alertdialog", className: "dialog-small",
		content: [
			element("p", { id: about }, text),
			element("div", { class: "dialog-actions" },
				element("button", { type: "button", class: "button", autofocus: true, onclick: () => dialog.close() }, "Cancel"),
				element("button", { type: "button", class: "button danger", onclick: agree }, action)),
		],
	});
	dialog.node.setAttribute("aria-describedby", about);
	await dialog.closed;
	return agreed;
}

/** Says something that needs no answer but OK. */
export function tell({ title, text }) {
	const about = newId("about");
	const dialog = openDialog({
		title, role: "alertdialog", className: "dialog-small",
		content: [
			element("p", { id: about }, text),
			element("div", { class: "dialog-actions" },
				element("button", { type: "button", class: "button primary", autofocus: true, onclick: () => dialog.close() }, "OK")),
		],
	});
	dialog.node.setAttribute("aria-describedby", about);
	return dialog;
}

/** All of them, for a page whose user is gone. */
export function closeDialogs() {
	for (const node of [...open].reverse()) {
		node.close();
	}
}

/**
 * Shows `text` as the one alert of `container`, above its buttons; null removes it. `field` is
 * marked as what is wrong, and gets the focus.
 */
export function alertIn(container, text, field) {
	container.querySelector(":scope > [role=alert]")?.remove();
	for (const marked of container.querySelectorAll("[aria-invalid]")) {
		marked.removeAttribute("aria-invalid");
		marked.removeAttribute("aria-errormessage");
	}
	if (text === null || text === undefined) {
		return;
	}
	// A new element each time: the same text again is announced again.
	const alert = element("p", { id: newId("alert"), role: "alert", class: "alert" }, text);
	const actions = container.querySelector(":scope > .dialog-actions");
	container.insertBefore(alert, actions);
	if (field) {
		field.setAttribute("aria-invalid", "true");
		field.setAttribute("aria-errormessage", alert.id);
		field.focus();
	}
	alert.scrollIntoView({ block: "nearest" });
}

/** A drawing of 24 by 24, in the colour of the text; it has no name. */
export function drawing(path) {
	const svg = document.createElementNS(SVG, "svg");
	const line = document.createElementNS(SVG, "path");
	for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: 24, height: 24, fill: "none",
		stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round",
		"aria-hidden": true })) {
		svg.setAttribute(name, value);
	}
	line.setAttribute("d", path);
	svg.append(line);
	return svg;
}

// --- inside -------------------------------------------------------------------------
function closeButton(close) {
	return element("button", { type: "button", class: "icon", "aria-label": "Close", onclick: close }, drawing(CROSS));
}

/** close() of a modal dialog puts the focus back by itself, at once: before the page may move it on. */
function show(node) {
	const leave = new AbortController();
	node.tabIndex = -1;
	document.body.append(node);
	const closed = new Promise((resolve) => node.addEventListener("close", () => {
		leave.abort();
		open.delete(node);
		node.remove();
		resolve();
	}, { once: true }));
	// What the dialog is about may be gone from the page. Before the page itself hears of it.
	window.addEventListener("hashchange", () => node.close(), { capture: true, signal: leave.signal });
	open.add(node);
	node.showModal();
	if (!node.querySelector("[autofocus]")) {
		node.focus();
	}
	return { node, closed, close: () => node.close() };
}
