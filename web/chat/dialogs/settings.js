/** settings - name, history, leaving and deletion of a group or channel, as the user's role allows. */
import { element } from "../../dom.js";
import { confirm } from "../parts/dialog.js";
import { attempt, field, formOf, needed, newCheck, textInput } from "../parts/form.js";

/** {node, show(conversation)} */
export function settingsView(chat, id, close) {
	const name = textInput({ maxlength: "200", autocapitalize: "sentences", spellcheck: true });
	const change = (wanted) => chat.client.request("PATCH", `/conversations/${id}`, wanted);
	const said = element("p", { class: "note", "aria-live": "polite" });
	const rename = formOf({
		words: { conflict: "A channel with this name exists. Choose another name." },
		async submit() {
			const wanted = needed(name, "Enter a name.");
			name.value = shown = (await change({ name: wanted })).name;
			said.textContent = "The name is changed.";
		},
	}, field("Name", name), said, element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button" }, "Rename")));
	const history = newCheck("New members see earlier messages", () => attempt(past, async () => {
		const wanted = history.input.checked ? "all" : "joined";
		try {
			await change({ history: wanted });
		} catch (error) {
			history.input.checked = !history.input.checked;
			throw error;
		}
	}));
	const past = element("section", {}, history.node);
	const admin = element("section", {}, element("h3", {}, "Settings"), rename, past);
	const leave = element("button", { type: "button", class: "button" }, "Leave");
	const remove = element("button", { type: "button", class: "button danger" });
	const exits = element("section", {}, element("div", { class: "dialog-more" }, leave, remove));
	let shown = null;
	let kind = "group";

	const end = (method, path) => attempt(exits, async () => {
		await chat.client.request(method, path);
		close();
		chat.go("/");
	});

	leave.addEventListener("click", async () => {
		const back = kind === "channel" ? "You can join it again." : "You cannot come back unless somebody invites you.";
		if (await confirm({ title: `Leave this ${kind}?`, text: `You no longer see its messages. ${back}`, action: "Leave" })) {
			end("POST", `/conversations/${id}/leave`);
		}
	});
	remove.addEventListener("click", async () => {
		if (await confirm({ title: `Delete this ${kind}?`, text: "Nobody can read its messages any more. This cannot be undone.", action: "Delete" })) {
			end("DELETE", `/conversations/${id}`);
		}
	});
	return {
		node: element("div", { class: "dialog-part" }, admin, exits),
		show(conversation) {
			kind = conversation.kind;
			admin.hidden = conversation.role === "member";
			remove.hidden = conversation.role !== "owner";
			remove.textContent = `Delete ${kind}`;
			// What the user is typing stays.
			if (shown === null || name.value === shown) {
				name.value = conversation.name;
			}
			shown = conversation.name;
			if (past.getAttribute("aria-busy") !== "true") {
				history.input.checked = conversation.history === "all";
			}
		},
	};
}
