/** devices - the dialog with the user's sessions. */
import { element, newId } from "../../dom.js";
import { deviceName } from "./device.js";
import { openDialog } from "../parts/dialog.js";
import { attempt } from "../parts/form.js";
import { signOut } from "./sign-out.js";
import { shortOf, wholeOf } from "../parts/time.js";

export function openDevices(chat) {
	const list = element("ul", { class: "results", "aria-label": "Devices" });
	const others = element("button", { type: "button", class: "button danger", hidden: true, onclick: () => end("") }, "Sign out all other devices");
	const said = element("p", { class: "note", "aria-live": "polite" }, "Loading…");
	const part = element("section", {}, list, said, element("div", { class: "dialog-actions" }, others));
	const dialog = openDialog({ title: "Devices", content: part });
	attempt(part, load).then((good) => !good && retry());
	return dialog;

	async function load() {
		const { sessions } = await chat.client.request("GET", "/auth/sessions");
		sessions.sort((a, b) => b.current - a.current || b.last_used_at.localeCompare(a.last_used_at));
		list.replaceChildren(...sessions.map(row));
		others.hidden = sessions.length < 2;
		said.textContent = sessions.length < 2 ? "You are signed in on this device only." : "";
	}

	function retry() {
		said.replaceChildren(element("button", { type: "button", class: "button", onclick: async () => {
			said.textContent = "Loading…";
			if (!await attempt(part, load)) {
				retry();
			}
		} }, "Try again"));
	}

	function row({ id, user_agent: agent, address, created_at: created, last_used_at: used, current }) {
		const name = element("span", { id: newId("device"), class: "result-name", title: agent ?? "" }, deviceName(agent));
		return element("li", { class: "result" },
			element("div", { class: "result-text" },
				element("div", { class: "result-head" }, name, current ? element("span", { class: "badge" }, "This device") : null),
				element("span", { class: "note" }, address ? [element("bdi", {}, address), " · "] : null, "Last used ", timeOf(used)),
				element("span", { class: "note" }, "Signed in ", timeOf(created))),
			element("button", { type: "button", class: "button", "aria-describedby": name.id,
				onclick: () => current ? signOut(chat) : end(`/${id}`) }, "Sign out"));
	}

	/** Ends a session, or all others. */
	async function end(which) {
		await attempt(part, async () => {
			// A session that has ended meanwhile is what the user wanted.
			await chat.client.request("DELETE", `/auth/sessions${which}`).catch((error) => {
				if (error.status !== 404) {
					throw error;
				}
			});
			await load();
			said.textContent ||= "The device is signed out.";
		});
		if (!part.contains(document.activeElement)) {
			dialog.node.focus();
		}
	}
}

function timeOf(text) {
	return element("time", { datetime: text, title: wholeOf(text) }, shortOf(text));
}
