/** people-field - a text field for names of people: each is looked up and becomes a chip. */
import { element } from "../../dom.js";
import { alertIn, drawing } from "../parts/dialog.js";
import { field, isEnter, textInput } from "../parts/form.js";
import { plain } from "../parts/plain.js";

const CROSS = "M7 7 L17 17 M17 7 L7 17";

/** The person of a name; an error with a sentence and the field if there is none. */
export async function findPerson(chat, name, input) {
	try {
		return await chat.people.find(name);
	} catch (error) {
		throw Object.assign(error, { field: input, sentence: whyNobody(error, name) });
	}
}

export function whyNobody(error, name) {
	const nobody = `There is nobody with the name “${name}”.`;
	return plain(error, { not_found: nobody, gone: nobody, invalid: nobody });
}

/**
 * {node, input, people(), clear()}. people() resolves with the ids when all that was typed is looked
 * up, and fails if somebody is unknown; alerts are shown in `form()`.
 */
export function peopleField(chat, label, form) {
	const input = textInput({ maxlength: "200", enterkeyhint: "enter" });
	const chips = element("ul", { class: "chips", "aria-label": "Added people", hidden: true });
	const row = field(label, input, "Enter adds a name.");
	row.insertBefore(chips, input.nextSibling);
	const added = new Map();
	const looking = new Set();

	input.addEventListener("keydown", (event) => {
		if (event.key === "Enter") {
			event.preventDefault();
		}
		if (isEnter(event)) {
			add().catch(() => {});
		}
	});

	/** The text leaves the field at once, so that the next name may be typed; it comes back if it is wrong. */
	function add() {
		const name = input.value.trim();
		if (!name) {
			return Promise.resolve();
		}
		alertIn(form(), null);
		input.value = "";
		const chip = element("li", { class: "chip pending" }, element("bdi", {}, name));
		chips.append(chip);
		chips.hidden = false;
		const found = look(name, chip).finally(() => looking.delete(found));
		looking.add(found);
		return found;
	}

	async function look(name, chip) {
		try {
			const person = await findPerson(chat, name, input);
			if (added.has(person.id) || person.id === chat.user.id) {
				chip.remove();
				return;
			}
			added.set(person.id, chip);
			chip.classList.remove("pending");
			chip.replaceChildren(element("bdi", {}, person.name), element("button", {
				type: "button", class: "icon", "aria-label": `Remove ${person.name}`, onclick: () => remove(person.id),
			}, drawing(CROSS)));
		} catch (error) {
			chip.remove();
			input.value ||= name;
			alertIn(form(), error.sentence, input);
			throw error;
		} finally {
			chips.hidden = !chips.children.length;
		}
	}

	function remove(id) {
		added.get(id).remove();
		added.delete(id);
		chips.hidden = !chips.children.length;
		input.focus();
	}

	return {
		node: row, input,
		async people() {
			add().catch(() => {});
			await Promise.all(looking);
			return [...added.keys()];
		},
		clear() {
			added.clear();
			chips.replaceChildren();
			chips.hidden = true;
		},
	};
}
