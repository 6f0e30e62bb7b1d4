/** details - the dialog of a conversation: of a person, or of a group or channel and its members. */
import { element } from "../../dom.js";
import { membersView } from "./members.js";
import { openDialog } from "../parts/dialog.js";
import { personView } from "./person.js";
import { settingsView } from "./settings.js";

export function openDetails(chat, conversation) {
	const { id, kind, with: other } = conversation;
	const name = element("bdi", {}, chat.nameOf(conversation));
	const close = () => dialog.close();
	const parts = kind === "direct" ? [personView(chat, other.id)]
		: [membersView(chat, id, close), settingsView(chat, id, close)];
	const dialog = openDialog({ title: name, className: "details", content: parts.map((part) => part.node) });

	function show() {
		const now = chat.conversation(id);
		if (!now) {
			close();
			return;
		}
		name.textContent = chat.nameOf(now);
		parts.forEach((part) => part.show(now));
	}

	const offs = ["list", "people"].map((topic) => chat.changed(topic, show));
	dialog.closed.then(() => [...offs, ...parts.map((part) => part.close)].forEach((off) => off?.()));
	show();
	return dialog;
}
