/**
 * notifier - tells of new messages while the user does not see them: notifications, if the user has
 * switched them on, and unread messages in the title.
 */
import { excerpt } from "../parts/text.js";

const SETTING = "parley.notify";

export class Notifier {
	#shown = new Map();
	#name = "";

	attach(chat, isSeen) {
		Object.assign(this, { chat, isSeen });
		chat.changed("list", () => {
			this.#title();
			this.#takeBack();
		});
		chat.changed("user", () => {
			this.#title();
			this.#takeBack();
		});
	}

	/** What the page shows: the name of the conversation, or nothing. */
	shows(name) {
		this.#name = name;
		this.#title();
	}

	/** A message of somebody else. */
	arrived(entry) {
		const { conversation: id, user_from: from } = entry;
		if (localStorage.getItem(SETTING) !== "on" || globalThis.Notification?.permission !== "granted" ||
			this.isSeen() && this.chat.address.conversation === id) {
			return;
		}
		const conversation = this.chat.conversation(id);
		const who = this.chat.people.name(from);
		const title = conversation?.name ? `${who} in ${conversation.name}` : who;
		// Tabs that notify of the same conversation replace each other's.
		const notification = new Notification(title, { body: excerpt(entry.message, 200), tag: `parley-${id}` });
		notification.onclick = () => {
			focus();
			this.chat.go(`/${id}`);
			notification.close();
		};
		this.#shown.set(id, notification);
	}

	#title() {
		const { unread, user } = this.chat;
		const count = user && unread ? `(${unread}) ` : "";
		const title = user && this.#name ? `${count}${this.#name} – Parley` : `${count}Parley`;
		if (document.title !== title) {
			document.title = title;
		}
	}

	/* What was read elsewhere. */
	#takeBack() {
		for (const [id, notification] of this.#shown) {
			if (!this.chat.conversation(id)?.unread) {
				notification.close();
				this.#shown.delete(id);
			}
		}
	}
}
