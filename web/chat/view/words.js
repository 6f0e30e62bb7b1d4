/** words - what the page says of entries, people and errors. */

/** The people of a list, in words: "alice, bob and 3 others". */
export function namesOf(chat, users) {
	const shown = users.slice(0, 3).map((id) => chat.people.name(id));
	const more = users.length - shown.length;
	if (more > 0) {
		return `${shown.join(", ")} and ${more} ${more === 1 ? "other" : "others"}`;
	}
	return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : shown[0] ?? "";
}

/** A change of a group or channel, as a sentence. */
export function eventText(chat, { user_from: from, change }) {
	const who = chat.people.name(from);
	const users = change.users ?? [];
	const whom = namesOf(chat, users);
	const said = {
		created: () => {
			const others = users.filter((id) => id !== from);
			return `${who} created ${change.name}${others.length ? ` with ${namesOf(chat, others)}` : ""}`;
		},
		invited: () => `${who} invited ${whom}`,
		joined: () => `${who} joined`,
		left: () => change.owner ? `${who} left. ${chat.people.name(change.owner)} is the owner now` : `${who} left`,
		removed: () => `${who} removed ${whom}`,
		role: () => change.role === "owner" ? `${who} made ${whom} the owner`
			: change.role === "admin" ? `${who} made ${whom} an admin` : `${whom} is no admin any more`,
		renamed: () => `${who} changed the name to ${change.name}`,
		history: () => change.history === "all" ? `Who joins from now on sees all messages`
			: `Who joins from now on sees later messages only`,
		deleted: () => `${who} deleted the conversation`,
	}[change.what];
	return said ? said() : `${who} changed the conversation`;
}

/** The last entry of a conversation, for the list. */
export function previewOf(chat, { last_message: last, with: other, kind }) {
	if (!last) {
		return "";
	}
	if (last.type === "member") {
		return eventText(chat, last);
	}
	const text = last.deleted_at ? "Message deleted" : last.message;
	if (last.user_from === chat.user?.id) {
		return other?.id === chat.user.id ? text : `You: ${text}`;
	}
	return kind === "direct" ? text : `${chat.people.name(last.user_from)}: ${text}`;
}
