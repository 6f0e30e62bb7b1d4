/** new-conversation - the dialog that begins one: with a person, in a new group, in a channel. */
import { element } from "../../dom.js";
import { uuid7 } from "../../sdk/index.js";
import { channelsView } from "./channels.js";
import { openDialog } from "../parts/dialog.js";
import { field, formOf, isEnter, needed, textInput, Unfit } from "../parts/form.js";
import { findPerson, peopleField } from "./people-field.js";
import { tabsOf } from "../parts/tabs.js";

export function openNewConversation(chat) {
	const go = (address) => {
		dialog.close();
		chat.go(address);
	};
	const channels = channelsView(chat, { go, close: () => dialog.close(), create: creator(chat, "channel") });
	const dialog = openDialog({
		title: "New conversation", className: "new-conversation",
		content: tabsOf("Kind of conversation", [
			{ label: "Person", panel: personPanel(chat, go) },
			{ label: "Group", panel: groupPanel(chat, go) },
			{ label: "Channel", panel: channels.node, shown: channels.shown },
		]),
	});
	dialog.closed.then(channels.close);
	return dialog;
}

function personPanel(chat, go) {
	const name = textInput({ maxlength: "200", autofocus: true, enterkeyhint: "go" });
	return element("div", {}, formOf({
		async submit() {
			const wanted = needed(name, "Enter the name of a person.");
			try {
				go(`/user/${(await findPerson(chat, wanted, name)).id}`);
			} catch (error) {
				throw error.sentence ? new Unfit(error.sentence, name) : error;
			}
		},
	}, field("Name", name, "The name with which the person signs in."),
	element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button primary" }, "Open"))));
}

function groupPanel(chat, go) {
	const name = textInput({ maxlength: "200", autocapitalize: "sentences", spellcheck: true, enterkeyhint: "next" });
	const people = peopleField(chat, "People", () => form);
	const create = creator(chat, "group");
	const form = formOf({
		async submit() {
			needed(name, "Enter a name for the group.");
			const users = await people.people().catch((error) => {
				throw new Unfit(error.sentence, people.input);
			});
			go(`/${await create({ name: name.value.trim(), users })}`);
		},
	}, field("Name", name), people.node,
	element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button primary" }, "Create group")));
	name.addEventListener("keydown", (event) => {
		if (isEnter(event)) {
			event.preventDefault();
			people.input.focus();
		}
	});
	return element("div", {}, form);
}

/**
 * A function that creates a conversation and resolves with its id. The same again has the same uuid:
 * if the answer was lost, a second try makes no second one.
 */
function creator(chat, kind) {
	let [last, uuid] = [null, null];
	return async (members) => {
		const wanted = JSON.stringify(members);
		if (wanted !== last) {
			[last, uuid] = [wanted, uuid7()];
		}
		return (await chat.client.request("POST", "/conversations", { kind, ...members, uuid })).id;
	};
}
