/** navigation - the list of links, the search, and the link of the part that is in view. */
import { element } from "../dom.js";

/**
 * Fills `list` with a group of links for each of [{name, entries: [{id, label, text, node}]}].
 * `label` is what a link shows; the search looks into `text` as well, and hides `node`.
 */
export function navigation({ list, search, said, noun }, groups) {
	const entries = groups.flatMap((group) => group.entries);
	list.replaceChildren(...groups.map((group) => {
		group.list = element("div", { class: "group" }, element("h2", {}, group.name),
			element("ul", {}, group.entries.map((entry) => {
				entry.link = element("a", { href: `#${entry.id}` }, entry.label);
				entry.item = element("li", {}, entry.link);
				return entry.item;
			})));
		return group.list;
	}));
	const seek = () => {
		const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
		for (const entry of entries) {
			const hidden = !words.every((word) => entry.text.toLowerCase().includes(word));
			entry.item.hidden = hidden;
			entry.node.hidden = hidden;
		}
		for (const group of groups) {
			group.list.hidden = group.entries.every((entry) => entry.item.hidden);
			group.node.hidden = group.list.hidden;
		}
		const count = entries.filter((entry) => !entry.item.hidden).length;
		said.textContent = words.length ? `${count} of ${entries.length} ${noun}` : "";
	};
	search.addEventListener("input", seek);
	// Escape empties a search field in some browsers only.
	search.addEventListener("keydown", (event) => {
		if (event.key === "Escape") {
			search.value = "";
			seek();
		}
	});
	markCurrent(list, entries);
}

/** The link of the part whose top was passed last is the current one. */
function markCurrent(list, entries) {
	let planned = false;
	const mark = () => {
		planned = false;
		const line = innerHeight / 4;
		let current = null;
		for (const entry of entries) {
			if (!entry.node.hidden && entry.node.getBoundingClientRect().top <= line) {
				current = entry;
			}
		}
		for (const entry of entries) {
			if (entry === current) {
				if (!entry.link.hasAttribute("aria-current")) {
					entry.link.setAttribute("aria-current", "location");
					show(list, entry.link);
				}
			} else {
				entry.link.removeAttribute("aria-current");
			}
		}
	};
	addEventListener("scroll", () => {
		if (!planned) {
			planned = true;
			requestAnimationFrame(mark);
		}
	}, { passive: true });
}

/** Scrolls the list, never the page. */
function show(list, link) {
	const [outer, inner] = [list, link].map((one) => one.getBoundingClientRect());
	list.scrollTop += Math.min(0, inner.top - outer.top) + Math.max(0, inner.bottom - outer.bottom);
}

/** On narrow screens the list is behind a button. A followed link closes it again. */
export function menu(button, panel) {
	const open = (wanted) => {
		button.setAttribute("aria-expanded", String(wanted));
		panel.classList.toggle("open", wanted);
	};
	button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
	panel.addEventListener("click", (event) => {
		if (event.target.closest("a")) {
			open(false);
		}
	});
	panel.addEventListener("keydown", (event) => {
		if (event.key === "Escape" && event.target.type !== "search") {
			open(false);
			button.focus();
		}
	});
}
