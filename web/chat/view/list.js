/** list - the navigation: all conversations, newest first. */
import { element } from "../../dom.js";
import { avatar } from "../parts/avatar.js";
import { Keyed } from "../parts/keyed.js";
import { excerpt } from "../parts/text.js";
import { shortOf, wholeOf } from "../parts/time.js";
import { previewOf } from "./words.js";

export function listView(chat) {
	const list = element("ul", { class: "conversations" });
	const hint = element("p", { class: "soft list-hint" });
	const node = element("nav", { "aria-label": "Conversations" }, list, hint);
	const rows = new Keyed(list, () => row(chat));

	/* Counts what changes rows besides their conversations. */
	let epoch = 0;
	const render = () => {
		rows.show(chat.conversations.map((conversation) => ({ key: conversation.id, conversation, epoch })));
		hint.textContent = chat.conversations.length ? ""
			: chat.status === "connected" ? "No conversations yet. Begin one with the button above." : "";
		hint.hidden = !hint.textContent;
	};
	const offs = ["list", "people", "address", "status", "user"].map((topic) => chat.changed(topic, () => {
		epoch += topic === "list" ? 0 : 1;
		render();
	}));
	render();
	return { node, close: () => offs.forEach((off) => off()) };
}

function row(chat) {
	const name = element("bdi", { class: "row-name" });
	const beside = element("bdi", { class: "row-beside" });
	const preview = element("span", { class: "row-preview", dir: "auto" });
	const time = element("time", { class: "row-time" });
	const unread = element("span", { class: "row-unread" });
	const link = element("a", { class: "row" },
		element("span", { class: "row-picture" }),
		element("span", { class: "row-head" }, name, beside, time), element("span", { class: "row-foot" }, preview, unread));
	let shown = {};
	let last = {};

	const update = (item) => {
		const { conversation, epoch } = item;
		// Of a thousand rows, a new message changes one.
		if (conversation === last.conversation && epoch === last.epoch) {
			return;
		}
		last = item;
		const other = conversation.with && chat.people.get(conversation.with.id);
		const now = {
			id: conversation.id, name: chat.nameOf(conversation), kind: conversation.kind,
			beside: conversation.with?.id === chat.user?.id ? "(you)" : other?.display_name ?? "",
			preview: excerpt(previewOf(chat, conversation)),
			at: conversation.last_message?.created_at ?? "", time: conversation.last_message ? shortOf(conversation.last_message.created_at) : "",
			unread: conversation.unread, current: chat.address.conversation === conversation.id,
			online: conversation.with && chat.people.presence(conversation.with.id)?.state === "online",
		};
		const is = (...members) => members.some((member) => now[member] !== shown[member]);
		if (is("id")) {
			link.href = `#/${now.id}`;
		}
		if (is("id", "name", "kind", "online")) {
			link.firstChild.replaceWith(element("span", { class: `row-picture${now.online ? " online" : ""}` },
				avatar(now.kind === "channel" ? "#" : now.name, conversation.with?.id ?? now.id)));
		}
		if (is("name", "beside")) {
			name.textContent = now.name;
			beside.textContent = now.beside;
		}
		if (is("preview")) {
			preview.textContent = now.preview;
		}
		if (is("at", "time")) {
			time.textContent = now.time;
			time.dateTime = now.at;
			time.title = now.at ? wholeOf(now.at) : "";
		}
		if (is("unread")) {
			link.classList.toggle("has-unread", now.unread > 0);
			unread.hidden = !now.unread;
			unread.replaceChildren(...now.unread ? [String(now.unread), element("span", { class: "unseen" }, " unread")] : []);
		}
		if (is("current")) {
			if (now.current) {
				link.setAttribute("aria-current", "page");
				link.scrollIntoView({ block: "nearest" });
			} else {
				link.removeAttribute("aria-current");
			}
		}
		shown = now;
	};
	return { node: element("li", {}, link), update };
}
