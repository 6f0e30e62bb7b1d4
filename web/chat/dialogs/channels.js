/** channels - finds channels to join, and creates one. */
import { element } from "../../dom.js";
import { alertIn } from "../parts/dialog.js";
import { attempt, field, formOf, isEnter, needed, textInput } from "../parts/form.js";
import { plain } from "../parts/plain.js";

const WAIT_MS = 200;
const LIMIT = 20;
const PAGES_MAX = 20;

/** {node, shown(), close()}. `create` creates a channel. */
export function channelsView(chat, { go, close, create }) {
	const input = textInput({ maxlength: "64", enterkeyhint: "search" });
	const results = element("ul", { class: "results results-short", "aria-label": "Channels" });
	const said = element("p", { class: "note", "aria-live": "polite" });
	const more = element("button", { type: "button", class: "button", hidden: true, onclick: () => showMore() }, "More channels");
	const finder = element("section", {}, field("Find a channel", input), said, results, more);
	let newest = 0;
	let next = null;
	let timer = null;

	/** Only the answer to the newest question counts. */
	async function search() {
		clearTimeout(timer);
		newest += 1;
		const mine = newest;
		try {
			const { channels, next: following } = await page(chat, input.value.trim(), null);
			if (mine === newest) {
				alertIn(finder, null);
				results.replaceChildren(...channels.map(rowOf));
				next = following;
				summary();
			}
		} catch (error) {
			if (mine === newest) {
				alertIn(finder, plain(error));
			}
		}
	}

	function showMore() {
		return attempt(finder, async () => {
			const mine = newest;
			const { channels, next: following } = await page(chat, input.value.trim(), next);
			if (mine === newest) {
				const rows = channels.map(rowOf);
				results.append(...rows);
				next = following;
				summary();
				rows[0]?.querySelector("a, button").focus();
			}
		});
	}

	function summary() {
		const count = results.children.length;
		more.hidden = next === null;
		said.textContent = count === 0 ? "No channel was found." : `${count}${next ? "+" : ""} ${count === 1 ? "channel" : "channels"}`;
	}

	function rowOf({ id, name, members, joined }) {
		return element("li", { class: "result" },
			element("div", { class: "result-text" },
				element("bdi", { class: "result-name" }, name),
				element("span", { class: "note" }, members === 1 ? "1 member" : `${members} members`)),
			joined ? element("a", { class: "button", href: `#/${id}`, "aria-label": `Open ${name}`, onclick: close }, "Open")
				: element("button", { type: "button", class: "button primary", "aria-label": `Join ${name}`, onclick: () => join(id) }, "Join"));
	}

	function join(id) {
		return attempt(finder, async () => {
			await chat.client.request("POST", `/conversations/${id}/join`);
			go(`/${id}`);
		}, { not_found: "This channel does not exist any more." });
	}

	input.addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(search, WAIT_MS);
	});
	input.addEventListener("keydown", (event) => {
		if (isEnter(event)) {
			event.preventDefault();
			search();
		}
	});
	return {
		node: element("div", {}, finder, creation(go, create)),
		shown: search,
		close() {
			clearTimeout(timer);
			newest += 1;
		},
	};
}

function creation(go, create) {
	const name = textInput({ maxlength: "200", autocapitalize: "sentences", spellcheck: true });
	return formOf({
		words: { conflict: "A channel with this name exists. Find it above, or choose another name." },
		async submit() {
			needed(name, "Enter a name for the channel.");
			go(`/${await create({ name: name.value.trim() })}`);
		},
	}, element("h3", {}, "Or begin one that everybody can find"), field("Name", name),
	element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button primary" }, "Create channel")));
}

/** Pages may be empty before the end. */
async function page(chat, search, after) {
	const found = [];
	let next = after;
	for (let at = 0; at < PAGES_MAX && found.length < LIMIT && (at === 0 || next !== null); at++) {
		const query = [`limit=${LIMIT}`, search && `search=${encodeURIComponent(search)}`, next && `after=${encodeURIComponent(next)}`];
		const answer = await chat.client.request("GET", `/channels?${query.filter(Boolean).join("&")}`);
		found.push(...answer.channels);
		next = answer.next;
	}
	return { channels: found, next };
}
