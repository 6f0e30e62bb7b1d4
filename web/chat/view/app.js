/** app - the whole page: the form to sign in, or the list and the open conversation. */
import { element } from "../../dom.js";
import { accountButton } from "../dialogs/account.js";
import { conversationView } from "./conversation.js";
import { closeDialogs, drawing } from "../parts/dialog.js";
import { listView } from "./list.js";
import { openNewConversation } from "../dialogs/new-conversation.js";
import { signInView } from "./sign-in.js";

const PLUS = "M12 5 V19 M5 12 H19";
const STATUS = { connected: "Connected", connecting: "Connecting…", offline: "Offline" };
const NOTICE_MS = 8000;
const touches = matchMedia("(pointer: coarse)");

export function app(root, chat, { isSeen, shows }) {
	const notice = element("div", { class: "notice" });
	const announcer = element("div", { class: "unseen announcer", "aria-live": "polite" });
	const announce = (text) => announcer.replaceChildren(element("p", {}, text));
	const stage = element("div", { class: "stage" });
	let view = null;

	function render() {
		const user = chat.user?.id ?? null;
		if (view && view.user === user) {
			return;
		}
		closeDialogs();
		view?.close();
		announcer.replaceChildren();
		view = user ? mainView(chat, { isSeen, shows, announce }) : signInView(chat);
		view.user = user;
		stage.replaceChildren(view.node);
		if (user) {
			view.render();
		} else {
			shows("");
			view.focus();
		}
	}

	/* What went wrong with something that the user did. */
	let timer = null;
	chat.changed("notice", () => {
		clearTimeout(timer);
		notice.replaceChildren(...chat.notice ? [element("p", { role: "alert", class: "alert" }, chat.notice)] : []);
		timer = setTimeout(() => notice.replaceChildren(), NOTICE_MS);
	});
	chat.changed("user", render);
	root.replaceChildren(stage, notice, announcer);
	return {
		render,
		/** Nothing can be shown but the reason. */
		fail: (text) => stage.replaceChildren(element("main", { class: "welcome" },
			element("h1", {}, "Parley"), element("p", { role: "alert", class: "alert" }, text))),
	};
}

function mainView(chat, { isSeen, shows, announce }) {
	const status = element("p", { class: "status", role: "status" });
	const list = listView(chat);
	const brand = element("p", { class: "brand" }, "Parley");
	const main = element("main", {});
	const skip = element("button", { type: "button", class: "button primary skip",
		onclick: () => open?.focus() }, "Skip to where you write");
	const node = element("div", { class: "frame" }, skip,
		element("div", { class: "side" },
			element("header", { class: "side-head" }, brand,
				element("button", { type: "button", class: "icon", "aria-label": "New conversation", title: "New conversation",
					onclick: () => openNewConversation(chat) }, drawing(PLUS)),
				accountButton(chat)),
			list.node,
			element("footer", { class: "side-foot" }, status)),
		main);
	let open = null;
	/* What is shown without a conversation. */
	let instead = null;

	function render() {
		const { conversation, user } = chat.address;
		node.classList.toggle("open", Boolean(conversation || user));
		const timeline = chat.isOpen(open?.timeline) ? open.timeline : chat.open();
		if (timeline && open?.timeline === timeline) {
			return;
		}
		open?.close();
		skip.hidden = !timeline;
		open = timeline && conversationView(chat, timeline, { isSeen, shows, announce });
		if (!open) {
			showInstead();
			return;
		}
		instead = null;
		main.replaceChildren(open.node);
		open.render();
		if (!touches.matches) {
			open.focus();
		}
	}

	function showInstead() {
		const { conversation, user } = chat.address;
		const now = `${conversation}/${user}/${chat.people.isMissing(user)}`;
		if (now !== instead) {
			instead = now;
			shows("");
			main.replaceChildren(element("div", { class: "welcome" }, conversation ? nowhere(chat, conversation)
				: !user ? welcome() : chat.people.isMissing(user) ? notFound("There is no such person.") : loading()));
		}
	}

	function showStatus() {
		const text = STATUS[chat.status];
		if (status.textContent !== text) {
			status.textContent = text;
			status.dataset.status = chat.status;
		}
	}

	const offs = [chat.changed("address", render), chat.changed("status", showStatus),
		...["status", "people"].map((topic) => chat.changed(topic, () => !open && render()))];
	showStatus();
	return {
		node, render,
		close() {
			offs.forEach((off) => off());
			open?.close();
			list.close();
		},
	};
}

/* The address names a conversation that the list does not have: not yet, or not at all. */
function nowhere(chat, id) {
	const node = element("div", {}, loading());
	chat.isMissing(id).then((missing) => missing &&
		node.replaceChildren(...notFound("There is no such conversation, or you are not in it.")));
	return node;
}

const welcome = () => [element("h1", {}, "Parley"),
	element("p", { class: "soft" }, "Choose a conversation, or begin one.")];

const loading = () => element("p", { class: "soft" }, "Loading…");

const notFound = (text) => [element("h1", {}, "Not found"), element("p", { role: "alert" }, text),
	element("p", {}, element("a", { href: "#/" }, "All conversations"))];
