/**
 * dom - builds elements. Texts become text nodes only, so no paper and no answer of a server
 * can become HTML.
 */

/**
 * An element. Properties whose value is false, null or undefined are left out; true is an
 * attribute without a value; a function is a listener (`onclick`).
 */
export function element(tag, properties = {}, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (typeof value === "function") {
			made.addEventListener(name.slice(2), value);
		} else if (value !== false && value !== null && value !== undefined) {
			made.setAttribute(name, value === true ? "" : value);
		}
	}
	made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
	return made;
}

/** A part that opens and closes. `build` is called when it is opened for the first time. */
export function disclosure(title, build, { open = false, className } = {}) {
	const made = element("details", { open, class: className }, element("summary", {}, title));
	let built = false;
	const fill = () => {
		if (!built && made.open) {
			built = true;
			made.append(build());
		}
	};
	made.addEventListener("toggle", fill);
	fill();
	return made;
}

let count = 0;

/** An id that no other element has. */
export function newId(name) {
	count += 1;
	return `${name}-${count}`;
}
