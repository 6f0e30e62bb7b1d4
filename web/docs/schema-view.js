/** schema-view - shows a schema to a reader: one line for each member, members of members below. */
import { disclosure, element } from "../dom.js";
import { inline } from "./markdown.js";
import { hasMembers, requiredOnly, resolve, shape, typeText } from "./schema.js";

/**
 * A list of the members, or a line with the type when there are none. `needed` is the word for
 * members that must be there.
 */
export function schemaView(paper, schema, needed = "required") {
	const { schema: own } = resolve(paper, schema);
	if (own.type === "array") {
		return element("div", { class: "schema" }, typeLine(paper, schema),
			hasMembers(paper, own) ? schemaView(paper, own.items, needed) : null);
	}
	const { members, choices } = shape(paper, own);
	const forms = choices.map((choice) => choice.filter((one) => !requiredOnly(one) && hasMembers(paper, one)))
		.filter((choice) => choice.length);
	const view = element("div", { class: "schema" });
	if (!members.length && !forms.length) {
		view.append(typeLine(paper, schema));
	}
	if (members.length) {
		view.append(element("ul", { class: "members" },
			members.map((member) => memberView(paper, member, needed))));
	}
	for (const choice of choices) {
		const either = choice.filter(requiredOnly).map((one) => one.required.join(" and "));
		if (either.length) {
			view.append(element("p", { class: "note" }, `Required: ${either.join(", or ")}.`));
		}
	}
	for (const choice of forms) {
		view.append(element("p", { class: "note" }, "One of:"), element("ul", { class: "choices" },
			choice.map((one, at) => element("li", {}, disclosure(choiceName(paper, one, at),
				() => schemaView(paper, one, needed), { open: choice.length < 3 })))));
	}
	return view;
}

function choiceName(paper, schema, at) {
	const { schema: own, name } = resolve(paper, schema);
	const kind = Object.values(own.properties ?? {}).find((member) => "const" in member || member.enum);
	return name ?? (kind ? typeText(paper, kind) : `form ${at + 1}`);
}

function typeLine(paper, schema) {
	const { schema: own } = resolve(paper, schema);
	return element("p", {}, element("span", { class: "type" }, typeText(paper, schema)), " ",
		inline(oneLine(own.description)));
}

function memberView(paper, { name, schema, required }, needed) {
	const { schema: own } = resolve(paper, schema);
	const line = [
		element("code", { class: "member" }, name), " ",
		element("span", { class: "type" }, typeText(paper, schema)), " ",
		required ? element("span", { class: needed }, needed) : null,
		own.default === undefined ? null : element("span", { class: "type" }, ` default ${JSON.stringify(own.default)}`),
		own.description ? element("span", { class: "about" }, inline(oneLine(own.description))) : null,
	];
	const inner = hasMembers(paper, schema)
		? disclosure(`Members of ${name}`, () => schemaView(paper, schema, needed)) : null;
	return element("li", {}, line, inner);
}

function oneLine(text) {
	return (text ?? "").trim().replace(/\s*\n\s*/g, " ");
}
