/** composer - where the user writes: text, draft, what is answered, and Send. */
import { element } from "../../dom.js";
import { alertIn, drawing } from "../parts/dialog.js";
import { byteLength, isComposing } from "../parts/text.js";
import { quoteOf } from "./message.js";

/** Bytes of UTF-8 that a message may have. */
export const TEXT_MAX = 16384;
/* What is left is shown when it is less than this. */
const NEAR = 1000;
const CROSS = "M6 6 L18 18 M18 6 L6 18";
const PLANE = "M4 12 L20 4 L14 20 L11.5 13 Z";

export function tooLong(text) {
	// Three bytes for a UTF-16 unit is the most.
	const over = text.length * 3 > TEXT_MAX ? byteLength(text) - TEXT_MAX : 0;
	return over > 0 ? `The text is ${over === 1 ? "1 byte" : `${over} bytes`} too long. A message has at most ${TEXT_MAX} bytes.` : null;
}

export function composerView(chat, timeline) {
	const box = element("textarea", { rows: "1", "aria-label": "Message", placeholder: "Message", dir: "auto",
		enterkeyhint: "send", autocomplete: "off" });
	const answering = element("div", { class: "answering", hidden: true });
	const left = element("span", { class: "left", hidden: true });
	const send = element("button", { type: "submit", class: "icon send", "aria-label": "Send" }, drawing(PLANE));
	const node = element("form", { class: "composer", "aria-label": "Write" }, answering,
		element("div", { class: "composer-line dialog-actions" }, box, left, send));
	const user = chat.user.id;
	let answered = null;

	function grow() {
		if (!CSS.supports("field-sizing", "content")) {
			box.style.height = "auto";
			box.style.height = `${box.scrollHeight}px`;
		}
	}

	function count() {
		const near = box.value.length * 3 > TEXT_MAX - NEAR;
		const rest = near ? TEXT_MAX - byteLength(box.value) : TEXT_MAX;
		left.hidden = rest >= NEAR;
		left.textContent = String(rest);
		left.classList.toggle("over", rest < 0);
		if (rest >= 0) {
			alertIn(node, null);
		}
	}

	function keep() {
		if (!chat.drafts.set(user, timeline.key, box.value)) {
			alertIn(node, "The browser does not keep this draft: its storage is full or switched off.");
		}
	}

	function submit() {
		const text = box.value;
		if (!text.trim()) {
			return;
		}
		const fault = tooLong(text);
		alertIn(node, fault, fault ? box : undefined);
		if (fault) {
			return;
		}
		timeline.send(text, answered?.seq);
		answer(null);
		box.value = "";
		keep();
		grow();
		count();
		box.focus();
	}

	/** Answers this message; null: none. */
	function answer(entry) {
		answered = entry;
		answering.hidden = !entry;
		if (!entry) {
			answering.replaceChildren();
			return;
		}
		const { name, text } = quoteOf(chat, entry);
		answering.replaceChildren(
			element("p", {}, "Reply to ", element("bdi", {}, name), ": ", element("span", { dir: "auto" }, text)),
			element("button", { type: "button", class: "icon", "aria-label": "Cancel the reply",
				onclick: () => {
					answer(null);
					box.focus();
				} }, drawing(CROSS)));
		box.focus();
	}

	box.addEventListener("input", () => {
		keep();
		grow();
		count();
		if (box.value && timeline.id) {
			chat.client.typing(timeline.id);
		}
	});
	box.addEventListener("keydown", (event) => {
		if (isComposing(event)) {
			return;
		}
		if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) {
			event.preventDefault();
			submit();
		} else if (event.key === "Escape" && answered) {
			event.preventDefault();
			answer(null);
		}
	});
	node.addEventListener("submit", (event) => {
		event.preventDefault();
		submit();
	});
	// Another tab of the user writes the same draft.
	const shared = ({ storageArea }) => {
		const draft = chat.drafts.get(user, timeline.key);
		if (storageArea === chat.drafts.storage && document.activeElement !== box && box.value !== draft) {
			box.value = draft;
			grow();
			count();
		}
	};
	addEventListener("storage", shared);
	box.value = chat.drafts.get(user, timeline.key);
	requestAnimationFrame(grow);
	count();

	return { node, answer, focus: () => box.focus({ preventScroll: true }), close: () => removeEventListener("storage", shared) };
}
