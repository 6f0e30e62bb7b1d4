/** menu - a menu beside its button, in the top layer. */
import { element, newId } from "../../dom.js";

const GAP = 6;
const EDGE = 8;

let opened = null;

/** Makes `button` open a menu of `items()` by click and arrow keys. */
export function menuButton(button, items) {
	button.setAttribute("aria-haspopup", "menu");
	button.setAttribute("aria-expanded", "false");
	button.addEventListener("click", () => openMenu(button, items()));
	button.addEventListener("keydown", (event) => {
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			event.preventDefault();
			openMenu(button, items(), { last: event.key === "ArrowUp" });
		}
	});
	return button;
}

/**
 * Opens the menu of `button`: {node, close()}; closes it if it is open. `items`: [{label, action,
 * checked?, content?, danger?}]; `content` are nodes that are shown in place of the label. The
 * menu is closed, and the focus is on the button again, when `action` is called.
 */
export function openMenu(button, items, { last = false } = {}) {
	const again = opened?.button === button;
	opened?.close();
	if (again) {
		return null;
	}
	const menu = element("div", { id: newId("menu"), role: "menu", class: "menu", popover: "manual",
		"aria-label": button.getAttribute("aria-label") ?? button.textContent.trim() },
	items.map((item) => itemView(item, () => close())));
	const leave = new AbortController();
	const close = ({ focus = true } = {}) => {
		if (opened?.node !== menu) {
			return;
		}
		opened = null;
		leave.abort();
		menu.remove();
		button.setAttribute("aria-expanded", "false");
		button.removeAttribute("aria-controls");
		if (focus && button.isConnected) {
			button.focus({ preventScroll: true });
		}
	};
	opened = { button, node: menu, close };

	button.after(menu);
	button.setAttribute("aria-haspopup", "menu");
	button.setAttribute("aria-expanded", "true");
	button.setAttribute("aria-controls", menu.id);
	menu.showPopover();
	place(menu, button);
	menu.addEventListener("keydown", (event) => onKey(event, menu, close));
	watch(menu, button, close, leave.signal);
	itemsOf(menu).at(last ? -1 : 0)?.focus({ preventScroll: true });
	return { node: menu, close };
}

// --- inside -------------------------------------------------------------------------
function itemView({ label, action, checked, content, danger }, close) {
	return element("button", {
		type: "button", tabindex: "-1", class: danger ? "menu-item menu-danger" : "menu-item",
		role: checked === undefined ? "menuitem" : "menuitemcheckbox",
		"aria-checked": checked === undefined ? null : String(Boolean(checked)),
		"aria-label": content ? label : null,
		onclick: (event) => {
			event.stopPropagation();
			close();
			action();
		},
		onpointermove: ({ currentTarget, pointerType }) => {
			if (pointerType === "mouse" && document.activeElement !== currentTarget) {
				currentTarget.focus({ preventScroll: true });
			}
		},
	}, content ?? label);
}

function itemsOf(menu) {
	return [...menu.querySelectorAll("[role^=menuitem]")];
}

function onKey(event, menu, close) {
	const items = itemsOf(menu);
	const at = items.indexOf(document.activeElement);
	const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
	// The page and a dialog round the menu have keys of their own.
	event.stopPropagation();
	if (to !== undefined) {
		event.preventDefault();
		items.at(to % items.length)?.focus();
	} else if (event.key === "Escape") {
		event.preventDefault();
		close();
	} else if (event.key === "Tab") {
		close();
	} else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) {
		const after = [...items.slice(at + 1), ...items.slice(0, at + 1)];
		after.find((item) => nameOf(item).toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
	}
}

function nameOf(item) {
	return item.getAttribute("aria-label") ?? item.textContent.trim();
}

/** Closes the menu when the user turns elsewhere; keeps it beside its button while things move. */
function watch(menu, button, close, signal) {
	document.addEventListener("pointerdown", ({ target }) => {
		if (!menu.contains(target) && !button.contains(target)) {
			close({ focus: false });
		}
	}, { capture: true, signal });
	menu.addEventListener("focusout", ({ relatedTarget }) => {
		if (relatedTarget && !menu.contains(relatedTarget) && relatedTarget !== button) {
			close({ focus: false });
		}
	}, { signal });
	const follow = ({ target }) => {
		if (!menu.isConnected) {
			close({ focus: false });
		} else if (target !== menu) {
			place(menu, button);
		}
	};
	window.addEventListener("scroll", follow, { capture: true, passive: true, signal });
	window.addEventListener("resize", follow, { signal });
	window.addEventListener("hashchange", () => close({ focus: false }), { signal });
}

/** Below the button, or above it where there is more room, towards the middle of its surroundings; always within the window. */
function place(menu, button) {
	const at = button.getBoundingClientRect();
	const { offsetWidth: width, scrollHeight: height } = menu;
	const [wide, high] = [document.documentElement.clientWidth, window.visualViewport?.height ?? window.innerHeight];
	const [above, below] = [at.top - GAP - EDGE, high - at.bottom - GAP - EDGE];
	const up = below < height && above > below;
	const room = Math.max(up ? above : below, 120);
	const round = button.closest("dialog")?.getBoundingClientRect() ?? { left: 0, right: wide };
	const left = (at.left + at.right) / 2 > (round.left + round.right) / 2 ? at.right - width : at.left;
	const shown = Math.min(height, room);
	const top = up ? at.top - GAP - shown : Math.min(at.bottom + GAP, high - EDGE - shown);
	menu.style.maxHeight = `${room}px`;
	menu.style.left = `${Math.max(EDGE, Math.min(left, wide - EDGE - width))}px`;
	menu.style.top = `${Math.max(EDGE, top)}px`;
}
