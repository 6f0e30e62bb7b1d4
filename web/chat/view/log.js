/**
 * log - the messages of a conversation. The view keeps its place: what comes in at either end, and
 * what changes its height, moves nothing that is read.
 */
import { element } from "../../dom.js";
import { Keyed } from "../parts/keyed.js";
import { messageRow } from "./message.js";
import { dayName, dayOf } from "../parts/time.js";
import { eventText } from "./words.js";

/* At the end is who is nearer than this, in pixels. */
const END = 48;
/* More is loaded when less than this many heights of the view are left. */
const AHEAD = 1.5;
/* Messages of one person within this time stand together. */
const GROUP_MS = 5 * 60000;

/**
 * shown     the Timeline
 * actions   see messageRow()
 * sawTo     is called with the seq of the last entry that the user has seen
 * moved     is called when the view has come to the end, or left it
 */
export function logView(chat, timeline, { actions, isSeen, sawTo, moved }) {
	const content = element("div", { class: "rows" });
	const top = element("div", { class: "log-top" });
	const foot = element("div", { class: "log-foot" });
	const node = element("div", { class: "log", role: "log", "aria-label": "Messages", "aria-live": "off", tabindex: "0" },
		element("div", { class: "log-space" }), top, content, foot);
	const rows = new Keyed(content, make);
	let active = null;
	let anchor = null;
	let place = null;
	let planned = false;

	/* --- rows ------------------------------------------------------------------------- */
	function make({ kind, entry }) {
		if (kind === "message") {
			const row = messageRow(chat, entry.user_from === chat.user?.id, actions);
			row.node.addEventListener("focusin", () => activate(row.node));
			return row;
		}
		const made = kind === "unread"
			? element("div", { class: "unread-line", role: "separator", "aria-label": "Unread messages" }, element("span", {}, "Unread"))
			: element("p", { class: kind });
		return { node: made, update: ({ text }) => text !== undefined && made.textContent !== text && (made.textContent = text) };
	}

	function items() {
		const list = [];
		const role = chat.conversation(timeline.id)?.role;
		const me = chat.user?.id;
		const { version } = chat.people;
		const line = firstUnread();
		let day = null;
		let before = null;
		for (const entry of timeline.all) {
			const key = dayOf(entry.created_at);
			if (key !== day) {
				list.push({ key: `day/${key}`, kind: "day", text: dayName(entry.created_at) });
				day = key;
				before = null;
			}
			if (entry === line) {
				// The line stands above the day, if the day begins with it.
				list.splice(list.at(-1).kind === "day" ? -1 : list.length, 0, { key: "unread", kind: "unread" });
				before = null;
			}
			if (entry.type === "member") {
				list.push({ key: `seq/${entry.seq}`, kind: "event", seq: entry.seq, text: eventText(chat, entry) });
				before = null;
				continue;
			}
			list.push({
				key: keyOf(entry.user_from, entry.uuid), kind: "message", seq: entry.seq, entry: timeline.shown(entry), role, version,
				grouped: isGrouped(before, entry), state: entry.user_from === me ? stateOf(entry) : "",
			});
			before = entry;
		}
		if (timeline.showsPending) {
			for (const pending of timeline.pending.values()) {
				const entry = { user_from: me, message: pending.text, reply_to: pending.replyTo };
				list.push({
					key: keyOf(me, pending.uuid), kind: "message", entry, pending, role, version, grouped: before?.user_from === me,
					state: pending.state === "failed" ? "Failed" : "Sending", error: pending.error,
				});
				before = entry;
			}
		}
		return list;
	}

	/* The entry below the unread line, if the window has the place of the line. */
	function firstUnread() {
		const { unreadAfter: after, entries, atStart, first } = timeline;
		return after !== null && (atStart || first?.seq <= after) ? entries.find(({ seq }) => seq > after) : undefined;
	}

	function stateOf(entry) {
		if (entry.deleted_at) {
			return "";
		}
		const { count, of } = timeline.readBy(entry.seq);
		return !count ? "Saved" : count === of ? "Read" : `Read by ${count}`;
	}

	/* --- place ------------------------------------------------------------------------- */
	function render() {
		const list = items();
		const begins = place !== timeline.place;
		if (!timeline.loading || timeline.loading !== "all") {
			place = timeline.place;
		}
		rows.show(list);
		top.textContent = timeline.loading === "older" || timeline.loading === "all" ? "Loading…" : "";
		foot.replaceChildren(...failure());
		node.classList.toggle("empty", !list.length);
		activate(active?.isConnected ? active : lastMessage());
		if (begins && list.length) {
			begin();
		} else {
			keep();
		}
		look();
	}

	function failure() {
		return timeline.error ? [element("p", { class: "alert", role: "alert" }, "The messages could not be loaded. "),
			element("button", { type: "button", class: "button", onclick: () => timeline.reload() }, "Try again")] : [];
	}

	/* Where reading begins: at the unread line, if there is one that is not on the last screen. */
	function begin() {
		const line = rows.get("unread")?.node;
		node.scrollTop = node.scrollHeight;
		if (line && line.getBoundingClientRect().top < node.getBoundingClientRect().top) {
			node.scrollTop += line.getBoundingClientRect().top - node.getBoundingClientRect().top - node.clientHeight / 4;
		} else if (!timeline.following) {
			node.scrollTop = node.scrollHeight / 2;
		}
		note();
	}

	/* Puts the view back where it was. */
	function keep() {
		if (timeline.following && timeline.atEnd) {
			node.scrollTop = node.scrollHeight;
		} else if (anchor?.node.isConnected) {
			const by = anchor.node.getBoundingClientRect().top - node.getBoundingClientRect().top - anchor.top;
			if (Math.abs(by) >= 1) {
				node.scrollTop += by;
			}
		}
		note();
	}

	/* Notes where the view is. */
	function note() {
		const frame = node.getBoundingClientRect();
		let first = firstBelow(frame.top);
		if (first?.matches(".day")) { // it goes up with the older entries of its day
			first = first.nextElementSibling;
		}
		anchor = first && { node: first, top: first.getBoundingClientRect().top - frame.top };
		// Where to begin is decided before the entries are there.
		if (timeline.loading !== "all") {
			timeline.following = timeline.atEnd && node.scrollHeight - node.scrollTop - node.clientHeight < END;
		}
		moved();
	}

	/* The first row whose end is below: rows stand in order, so half of them are left out each time. */
	function firstBelow(y) {
		const all = content.children;
		let [low, high] = [0, all.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (all[middle].getBoundingClientRect().bottom > y) {
				high = middle;
			} else {
				low = middle + 1;
			}
		}
		return all[low] ?? null;
	}

	/* After each move: loads what comes next, and tells what was seen. */
	function look() {
		const left = node.clientHeight * AHEAD;
		if (node.scrollTop < left) {
			timeline.loadOlder();
		}
		if (node.scrollHeight - node.scrollTop - node.clientHeight < left) {
			timeline.loadNewer();
		}
		see();
	}

	function see() {
		if (!isSeen() || !node.clientHeight) {
			return;
		}
		const bottom = node.getBoundingClientRect().bottom + 1;
		const list = timeline.entries;
		for (let at = list.length - 1; at >= 0; at--) {
			const entry = list[at];
			const row = rows.get(entry.type === "member" ? `seq/${entry.seq}` : keyOf(entry.user_from, entry.uuid))?.node;
			if (row && row.getBoundingClientRect().bottom <= bottom) {
				sawTo(entry.seq);
				return;
			}
		}
	}

	node.addEventListener("scroll", () => {
		if (!planned) {
			planned = true;
			requestAnimationFrame(() => {
				planned = false;
				note();
				look();
			});
		}
	}, { passive: true });
	const resized = new ResizeObserver(() => {
		if (node.clientHeight) {
			keep();
			see();
		}
	});
	resized.observe(node);
	resized.observe(content);

	/* --- keyboard: one message is a stop of the Tab key; the arrows lead to the others ------ */
	function lastMessage() {
		return [...content.children].findLast((row) => row.matches("article")) ?? null;
	}

	function activate(row) {
		if (row === active && row?.isConnected) {
			return;
		}
		active?.setAttribute("tabindex", "-1");
		active?.classList.remove("active");
		active = row;
		active?.setAttribute("tabindex", "0");
		active?.classList.add("active");
		for (const button of content.querySelectorAll("article button")) {
			button.tabIndex = active?.contains(button) ? 0 : -1;
		}
	}

	node.addEventListener("keydown", (event) => {
		const row = document.activeElement;
		if (!row?.matches("article") || event.altKey || event.ctrlKey || event.metaKey) {
			return;
		}
		const all = [...content.children].filter((one) => one.matches("article"));
		const at = all.indexOf(row);
		const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
		if (to === undefined) {
			return;
		}
		event.preventDefault();
		const next = all[Math.max(0, Math.min(to, all.length - 1))];
		next.focus({ preventScroll: true });
		next.scrollIntoView({ block: "nearest" });
	});

	/** Shows a message and marks it for a moment. */
	function point(seq) {
		const entry = timeline.entries.find((one) => one.seq === seq);
		const row = entry && rows.get(keyOf(entry.user_from, entry.uuid))?.node;
		if (row) {
			row.scrollIntoView({ block: "center" });
			row.classList.add("pointed");
			setTimeout(() => row.classList.remove("pointed"), 2000);
			row.focus({ preventScroll: true });
		}
	}

	return {
		node, render, see, point, close: () => resized.disconnect(),
		toEnd() {
			node.scrollTop = node.scrollHeight;
			note();
		},
	};
}

const keyOf = (user, uuid) => `${user}/${uuid}`;

const isGrouped = (before, entry) => before?.user_from === entry.user_from && !entry.reply_to &&
	new Date(entry.created_at) - new Date(before.created_at) < GROUP_MS;
