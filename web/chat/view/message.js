/**
 * message - one message: who, text, what it answers, time, state, reactions, and the menu of what
 * may be done with it.
 */
import { element, newId } from "../../dom.js";
import { avatar } from "../parts/avatar.js";
import { confirm, drawing } from "../parts/dialog.js";
import { openMenu } from "../parts/menu.js";
import { excerpt, isComposing, linked } from "../parts/text.js";
import { clockOf, wholeOf } from "../parts/time.js";
import { namesOf } from "./words.js";

const REACTIONS = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
const DOTS = "M5 12h.01M12 12h.01M19 12h.01";
const INPUTS = ["entry", "pending", "grouped", "state", "role", "error", "version"];
const MAY_DELETE = ["owner", "admin"];

/**
 * The row of a message: {node, update({entry, pending, grouped, state, role, error, version})}; `version` is that of the people.
 *
 * actions   {reply(entry), edit(entry, text), remove(entry), react(entry, reaction, remove),
 *           retry(uuid), discard(uuid), jump(seq), quoted(seq)}
 */
export function messageRow(chat, own, actions) {
	const ids = [newId("sender"), newId("text"), newId("time")];
	const sender = element("bdi", { id: ids[0], class: "sender" });
	const beside = element("bdi", { class: "sender-beside" });
	const picture = element("span", { class: "picture" });
	const quote = element("button", { type: "button", class: "quote", hidden: true, onclick: () => actions.jump(now.entry.reply_to) });
	const text = element("div", { id: ids[1], class: "text", dir: "auto" });
	const time = element("time", { id: ids[2] });
	const edited = element("span", { class: "edited" });
	const state = element("span", { class: "state", "aria-live": "off" });
	const reactions = element("div", { class: "reactions", hidden: true });
	const more = element("button", { type: "button", class: "icon more", "aria-label": "More…", "aria-haspopup": "menu",
		onclick: () => openMenu(more, items()) }, drawing(DOTS));
	const bubble = element("div", { class: "bubble" }, quote, text,
		element("div", { class: "meta" }, edited, time, state));
	const node = element("article", { class: `message ${own ? "own" : ""}`.trim(), tabindex: "-1",
		"aria-labelledby": ids.join(" ") },
		picture, element("div", { class: "byline" }, sender, " ", beside),
		element("div", { class: "line" }, bubble, more), reactions);

	let now = {};
	let editor = null;
	let picker = null;

	function update(wanted) {
		const before = now;
		// Of three hundred rows, a new message changes one. What is quoted may have changed by itself.
		const isSame = INPUTS.every((member) => wanted[member] === before[member]);
		if (isSame && !wanted.entry.reply_to) {
			return;
		}
		now = { ...wanted, name: chat.people.name(wanted.entry.user_from),
			beside: chat.people.get(wanted.entry.user_from)?.display_name ?? "",
			...wanted.entry.reply_to ? quoteNow(wanted.entry.reply_to) : {} };
		const { entry } = now;
		const is = (...members) => members.some((member) => now[member] !== before[member]);
		if (is("name", "beside")) {
			sender.textContent = now.name;
			beside.textContent = now.beside;
			picture.replaceChildren(avatar(now.name, entry.user_from));
		}
		if (is("grouped")) {
			node.classList.toggle("grouped", now.grouped);
		}
		if (is("quotedName", "quotedText")) {
			showQuote();
		}
		if (entry !== before.entry) {
			showEntry(before.entry ?? {});
		}
		if (is("state")) {
			state.textContent = now.state ?? "";
			node.classList.toggle("failed", now.state === "Failed");
			node.classList.toggle("sending", now.state === "Sending");
		}
		if (is("error")) {
			showError();
		}
		more.hidden = items().length === 0;
	}

	function showEntry(before) {
		const { entry } = now;
		if (entry.message !== before.message || entry.deleted_at !== before.deleted_at) {
			node.classList.toggle("deleted", Boolean(entry.deleted_at));
			text.replaceChildren(...entry.deleted_at ? ["Message deleted"] : linked(entry.message));
			node.classList.toggle("emoji", /^(\p{RGI_Emoji}){1,3}$/v.test(entry.message));
			if (entry.deleted_at) {
				stopEditing();
				unpick();
			}
		}
		edited.textContent = entry.edited_at && !entry.deleted_at ? "edited" : "";
		if (entry.created_at !== before.created_at) {
			time.hidden = !entry.created_at;
			time.dateTime = entry.created_at;
			time.textContent = entry.created_at ? clockOf(entry.created_at) : "";
			time.title = entry.created_at ? wholeOf(entry.created_at) : "";
		}
		showReactions();
	}

	function showError() {
		node.querySelector(":scope > .failure")?.remove();
		if (now.error) {
			node.append(element("p", { class: "failure" }, reasonOf(now.error)));
		}
	}

	function quoteNow(seq) {
		const quoted = actions.quoted(seq);
		return { quotedName: quoted?.name ?? "", quotedText: quoted?.text ?? "…" };
	}

	function showQuote() {
		quote.hidden = false;
		quote.replaceChildren(element("span", { class: "unseen" }, "In reply to "),
			element("bdi", { class: "quote-sender" }, now.quotedName), " ",
			element("span", { class: "quote-text", dir: "auto" }, now.quotedText));
	}

	function showReactions() {
		const list = now.entry.reactions ?? [];
		reactions.hidden = !list.length;
		const buttons = new Map([...reactions.children].map((button) => [button.dataset.reaction, button]));
		const wanted = list.map((one) => {
			const button = buttons.get(one.reaction) ?? element("button", { type: "button", class: "reaction",
				"data-reaction": one.reaction,
				onclick: () => toggle(one.reaction) });
			button.textContent = `${one.reaction} ${one.count}`;
			button.setAttribute("aria-pressed", String(isMine(one.reaction)));
			button.title = namesOf(chat, one.users);
			return button;
		});
		// The children stay as they are where they can: one of them may have the focus.
		for (const button of buttons.values()) {
			if (!wanted.includes(button)) {
				button.remove();
			}
		}
		wanted.forEach((button) => button.isConnected && button.parentNode === reactions || reactions.append(button));
	}

	function isMine(reaction) {
		return Boolean(now.entry.reactions?.find((one) => one.reaction === reaction)?.users.includes(chat.user?.id));
	}

	function toggle(reaction) {
		actions.react(now.entry, reaction, isMine(reaction));
	}

	/* What may be done, for the menu. */
	function items() {
		const { entry, pending, role } = now;
		const copy = { label: "Copy text", action: () => navigator.clipboard?.writeText(entry.message).catch(() => {}) };
		if (pending?.state === "failed") {
			return [{ label: "Try again", action: () => actions.retry(pending.uuid) },
				{ label: "Discard", action: () => actions.discard(pending.uuid), danger: true }, copy];
		}
		if (pending || entry.deleted_at) {
			return [];
		}
		return [
			{ label: "Reply", action: () => actions.reply(entry) },
			{ label: "React", action: pick },
			...own ? [{ label: "Edit", action: edit }] : [],
			copy,
			...own || MAY_DELETE.includes(role) ? [{ label: "Delete", action: remove, danger: true }] : [],
		];
	}

	async function remove() {
		const { entry } = now;
		if (await confirm({ title: "Delete this message?", text: "Nobody can read it any more.", action: "Delete" })) {
			actions.remove(entry);
			node.focus();
		}
	}

	/* The removal of what has the focus is told while it goes on. */
	function unpick() {
		const gone = picker;
		picker = null;
		gone?.remove();
	}

	function pick() {
		unpick();
		const close = () => {
			unpick();
			more.focus();
		};
		picker = element("div", { class: "picker", role: "group", "aria-label": "React",
			onkeydown: (event) => {
				const buttons = [...picker.children];
				const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
				if (event.key === "Escape") {
					event.preventDefault();
					event.stopPropagation();
					close();
				} else if (step) {
					event.preventDefault();
					event.stopPropagation();
					buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
				}
			},
			onfocusout: ({ relatedTarget }) => {
				if (!picker?.contains(relatedTarget)) {
					unpick();
				}
			},
		}, REACTIONS.map((reaction) => element("button", { type: "button", class: "icon",
			onclick: () => {
				close();
				if (!isMine(reaction)) {
					actions.react(now.entry, reaction, false);
				}
			} }, reaction)));
		bubble.parentNode.after(picker);
		picker.firstChild.focus();
		picker.scrollIntoView({ block: "nearest" });
	}

	/* --- editing in place ---------------------------------------------------------------- */
	function edit() {
		if (editor) {
			editor.focus();
			return;
		}
		editor = element("textarea", { class: "editor", "aria-label": "Edit", dir: "auto", rows: "2",
			onkeydown: (event) => {
				if (isComposing(event)) {
					return;
				}
				if (event.key === "Enter" && !event.shiftKey) {
					event.preventDefault();
					save();
				} else if (event.key === "Escape") {
					event.preventDefault();
					stopEditing();
					node.focus();
				}
				event.stopPropagation();
			} });
		editor.value = now.entry.message;
		text.hidden = true;
		text.after(editor);
		node.classList.add("editing");
		editor.focus();
		editor.setSelectionRange(editor.value.length, editor.value.length);
	}

	function save() {
		const changed = editor.value;
		if (!changed.trim()) {
			return;
		}
		if (actions.edit(now.entry, changed)) {
			stopEditing();
			node.focus();
		}
	}

	function stopEditing() {
		editor?.remove();
		editor = null;
		text.hidden = false;
		node.classList.remove("editing");
	}

	return { node, update };
}

const REASONS = {
	unknown_user: "This person cannot be written to.",
	unknown_conversation: "You are not in this conversation any more.",
	not_allowed: "You may not write here. You may have blocked this person.",
	too_large: "The text is too long.",
};

export const reasonOf = ({ code, detail }) => REASONS[code] ?? `Not sent: ${detail ?? code}.`;

/** What is quoted of an entry. */
export const quoteOf = (chat, entry) => entry && {
	name: chat.people.name(entry.user_from),
	text: entry.deleted_at ? "Message deleted" : excerpt(entry.message ?? "", 90),
};
