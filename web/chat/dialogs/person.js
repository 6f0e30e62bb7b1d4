/** person - the profile of the other user of a direct conversation, and the block. */
import { element } from "../../dom.js";
import { avatar } from "../parts/avatar.js";
import { attempt } from "../parts/form.js";
import { presenceText } from "../parts/time.js";

/** {node, show()} */
export function personView(chat, id) {
	const own = id === chat.user.id;
	const display = element("bdi", { class: "person-name" });
	const presence = element("p", { class: "note" });
	const about = element("p", { class: "about", dir: "auto" });
	const picture = element("span", {});
	const button = element("button", { type: "button", class: "button", disabled: true, onclick: () => attempt(node, change) });
	const said = element("p", { class: "note" });
	const actions = element("div", { class: "dialog-actions", hidden: own }, button);
	const node = element("section", {},
		element("div", { class: "person-head" }, picture, element("div", {}, display, presence)), about, said, actions);
	let blocked = null;

	function show() {
		const person = chat.people.get(id);
		const name = chat.people.name(id);
		if (!picture.firstChild || display.dataset.name !== name) {
			picture.replaceChildren(avatar(name, id, "avatar-large"));
			display.dataset.name = name;
		}
		display.textContent = person?.display_name ?? name;
		about.textContent = person?.about ?? "";
		about.hidden = !person?.about;
		presence.textContent = own ? "Notes to yourself" : person?.deleted ? "This account is deleted."
			: presenceText(chat.people.presence(id)) ?? "";
		actions.hidden = own || Boolean(person?.deleted);
	}

	/** The list of blocks ascends by user: the first one above the user before. */
	async function look() {
		const { blocks } = await chat.client.request("GET", `/blocks?limit=1${id > 1 ? `&after=${id - 1}` : ""}`);
		showBlock(blocks[0]?.user === id);
	}

	function showBlock(now) {
		blocked = now;
		button.disabled = false;
		button.textContent = blocked ? "Unblock" : "Block";
		button.classList.toggle("danger", !blocked);
		said.textContent = blocked ? "You have blocked this person: neither of you can write to the other." : "";
	}

	async function change() {
		await chat.client.request(blocked ? "DELETE" : "PUT", `/blocks/${id}`);
		showBlock(!blocked);
	}

	if (!own) {
		button.textContent = "Block";
		attempt(node, look);
	}
	return { node, show };
}
