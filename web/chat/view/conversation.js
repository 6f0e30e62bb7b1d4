/** conversation - the open conversation: its head, its messages, who types, and where the user writes. */
import { element, newId } from "../../dom.js";
import { avatar } from "../parts/avatar.js";
import { composerView, tooLong } from "./composer.js";
import { openDetails } from "../dialogs/details.js";
import { drawing } from "../parts/dialog.js";
import { logView } from "./log.js";
import { quoteOf } from "./message.js";
import { presenceText, wholeOf } from "../parts/time.js";
import { namesOf } from "./words.js";

const BACK = "M15 5 L8 12 L15 19";
const DOWN = "M12 5 V19 M6 13 L12 19 L18 13";
const INFO = "M12 11 V17 M12 7.5h.01 M12 3 a9 9 0 1 0 0 18 a9 9 0 1 0 0 -18";

export function conversationView(chat, timeline, { isSeen, shows, announce }) {
	const title = element("h1", { id: newId("conversation") });
	const beside = element("bdi", { class: "soft head-beside" });
	const about = element("p", { class: "soft head-about" });
	const picture = element("span", { class: "head-picture" });
	const details = element("button", { type: "button", class: "icon", "aria-label": "Details",
		onclick: () => openDetails(chat, conversation()) }, drawing(INFO));
	const newest = element("button", { type: "button", class: "newest", hidden: true, "aria-label": "Jump to newest",
		onclick: () => {
			timeline.jumpToEnd();
			log.toEnd();
			composer.focus();
		} });
	const typing = element("p", { class: "typing" });
	const composer = composerView(chat, timeline);
	const quotes = new Map();
	const log = logView(chat, timeline, {
		isSeen, moved: showNewest,
		sawTo: (seq) => {
			if (seq > (conversation()?.read_seq ?? seq)) {
				chat.client.read(timeline.id, seq);
			}
		},
		actions: {
			reply: (entry) => composer.answer(entry),
			edit: (entry, text) => {
				const fault = tooLong(text);
				if (fault) {
					chat.tell(fault);
					return false;
				}
				if (text !== entry.message) {
					timeline.write("edit", { seq: entry.seq, text });
				}
				return true;
			},
			remove: ({ seq }) => timeline.write("delete", { seq }),
			react: ({ seq }, reaction, remove) => timeline.write("react", { seq, reaction, remove }),
			retry: (uuid) => timeline.retry(uuid),
			discard: (uuid) => timeline.discard(uuid),
			jump: async (seq) => {
				if (await timeline.jumpTo(seq)) {
					log.render();
					log.point(seq);
				}
			},
			quoted,
		},
	});
	const node = element("section", { class: "conversation", "aria-labelledby": title.id },
		element("header", { class: "head" },
			element("a", { class: "icon back", href: "#/", "aria-label": "All conversations" }, drawing(BACK)),
			picture, element("div", { class: "head-names" }, element("div", { class: "head-line" }, title, beside), about), details),
		log.node, element("div", { class: "above-composer" }, newest, typing), composer.node);
	let announced = null;
	let shown = {};

	function conversation() {
		return chat.conversation(timeline.id);
	}

	/* What a message answers: of the window, or asked for. */
	function quoted(seq) {
		const entry = timeline.entries.find((one) => one.seq === seq);
		if (entry) {
			return quoteOf(chat, timeline.shown(entry));
		}
		if (!quotes.has(seq)) {
			quotes.set(seq, null);
			chat.client.history(timeline.id, { before: seq + 1, limit: 1 }).then(({ messages }) => {
				quotes.set(seq, messages.find((one) => one.seq === seq) ?? null);
				timeline.changed();
			}, () => quotes.delete(seq));
		}
		return quoteOf(chat, quotes.get(seq));
	}

	function render() {
		showHead();
		showTyping();
		log.render();
		showNewest();
		announceNew();
	}

	function showHead() {
		const one = conversation();
		const user = timeline.user;
		const person = user && chat.people.get(user);
		const now = {
			name: user ? chat.people.name(user) : one?.name ?? "",
			beside: user === chat.user?.id ? "(you)" : person?.display_name ?? "",
			about: user ? (user === chat.user?.id ? "Notes to yourself" : presenceText(chat.people.presence(user)) ?? "")
				: one ? `${one.members} ${one.members === 1 ? "member" : "members"}` : "",
			kind: one?.kind, unread: one?.unread ?? 0,
		};
		if (now.name !== shown.name || now.beside !== shown.beside || now.kind !== shown.kind) {
			title.replaceChildren(element("bdi", {}, now.name));
			beside.textContent = now.beside;
			picture.replaceChildren(avatar(now.kind === "channel" ? "#" : now.name, user ?? timeline.id));
			shows(now.name);
		}
		if (now.about !== shown.about) {
			about.textContent = now.about;
			const seen = user && chat.people.presence(user)?.last_seen;
			about.title = seen ? wholeOf(seen) : "";
		}
		details.hidden = !one;
		shown = now;
	}

	function showTyping() {
		const users = [...timeline.typing.keys()].filter((id) => id !== chat.user?.id);
		const text = users.length ? `${namesOf(chat, users)} ${users.length === 1 ? "is" : "are"} typing` : "";
		if (typing.textContent !== text) {
			typing.textContent = text;
		}
	}

	function showNewest() {
		const away = !timeline.following && timeline.entries.length > 0;
		newest.hidden = !away;
		const unread = away ? conversation()?.unread ?? 0 : 0;
		if (newest.dataset.unread !== String(unread)) {
			newest.dataset.unread = String(unread);
			newest.replaceChildren(drawing(DOWN), ...unread ? [element("span", {}, `${unread} new`)] : []);
			newest.title = unread ? `${unread} new` : "Jump to newest";
		}
	}

	/* The newest message of somebody else, once: who and what. */
	function announceNew() {
		const last = timeline.atEnd ? timeline.entries.findLast((entry) => entry.type === "message") : null;
		if (last && announced !== null && last.seq > announced && last.user_from !== chat.user?.id) {
			const fresh = timeline.entries.filter((entry) => entry.type === "message" && entry.seq > announced && entry.user_from !== chat.user?.id);
			announce(fresh.length > 3 ? `${fresh.length} new messages`
				: fresh.map((entry) => `${chat.people.name(entry.user_from)}: ${entry.message}`).join(". "));
		}
		if (timeline.atEnd && timeline.loading !== "all") {
			announced = Math.max(announced ?? 0, last?.seq ?? 0);
		}
	}

	const see = () => log.see();
	document.addEventListener("visibilitychange", see);
	addEventListener("focus", see);
	const offs = ["timeline", "people", "list"].map((topic) => chat.changed(topic, render));
	return {
		node, render, timeline, focus: () => composer.focus(),
		close() {
			offs.forEach((off) => off());
			document.removeEventListener("visibilitychange", see);
			removeEventListener("focus", see);
			log.close();
			composer.close();
		},
	};
}
