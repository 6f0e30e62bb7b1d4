/**
 * schema - reads the JSON Schemas of a paper: references, a short description of a type, an
 * example. Nothing here knows the DOM.
 */

const DEPTH_MAX = 12;

/** The schema that a reference leads to, and the name that the reference gives it. */
export function resolve(paper, schema) {
	let found = schema ?? {};
	let name = null;
	while (found && typeof found === "object" && found.$ref) {
		const { $ref: to, ...beside } = found;
		const path = to.slice(2).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
		name = path.at(-1);
		found = { ...path.reduce((at, part) => at?.[part], paper), ...beside };
	}
	return { schema: found, name };
}

/**
 * The members of an object, with those of its `allOf`: [{name, schema, required}]; and its
 * choices, a list of schemas for each `oneOf` and `anyOf`.
 */
export function shape(paper, schema, depth = 0) {
	const { schema: own } = resolve(paper, schema);
	const members = new Map();
	const required = new Set(own.required ?? []);
	const choices = [own.oneOf, own.anyOf].filter(Boolean);
	for (const [name, member] of Object.entries(own.properties ?? {})) {
		members.set(name, member);
	}
	for (const part of depth < DEPTH_MAX ? own.allOf ?? [] : []) {
		const inner = shape(paper, part, depth + 1);
		for (const member of inner.members) {
			members.set(member.name, member.schema);
			if (member.required) {
				required.add(member.name);
			}
		}
		for (const name of inner.required) {
			required.add(name);
		}
		choices.push(...inner.choices);
	}
	return {
		members: [...members].map(([name, member]) =>
			({ name, schema: member, required: required.has(name) })),
		required: [...required],
		choices,
	};
}

/** An alternative that only says which members must be there: {required: [names]}. */
export function requiredOnly(schema) {
	return Object.keys(schema).every((key) => key === "required") && schema.required;
}

/** The type in a few words: `integer, at least 1`, `string or null`, `one of a, b`. */
export function typeText(paper, schema) {
	const { schema: own } = resolve(paper, schema);
	if (own === true || Object.keys(own).length === 0) {
		return "anything";
	}
	if ("const" in own) {
		return JSON.stringify(own.const);
	}
	if (own.enum) {
		return own.enum.map((value) => JSON.stringify(value)).join(" | ");
	}
	if (own.type === "array") {
		const items = nameOrType(paper, own.items);
		return `list of ${items.includes(",") ? `(${items})` : items}${range(own.minItems, own.maxItems, " items")}`;
	}
	const alternatives = (own.oneOf ?? own.anyOf ?? []).filter((one) => !requiredOnly(one));
	if (alternatives.length && !own.properties) {
		return [...new Set(alternatives.map((one) => nameOrType(paper, one)))].join(" or ");
	}
	const types = [own.type ?? (own.properties || own.allOf ? "object" : "anything")].flat();
	return types.map((type) => type === "object" && !own.properties && !own.allOf ? "any object" : type).join(" or ") +
		range(own.minLength, own.maxLength, " characters") +
		range(own.minimum, own.maximum === Number.MAX_SAFE_INTEGER ? undefined : own.maximum, "") +
		(own.format ? `, ${own.format}` : "");
}

function nameOrType(paper, schema) {
	const { schema: own, name } = resolve(paper, schema ?? {});
	return own.properties || own.allOf || own.oneOf ? name ?? "object" : typeText(paper, schema);
}

function range(least, most, what) {
	if (least === undefined && most === undefined) {
		return "";
	}
	if (least === most) {
		return `, ${most}${what}`;
	}
	if (most === undefined) {
		return `, at least ${least}${what}`;
	}
	return `, ${least === undefined || least === 0 && what ? "at most" : `${least} to`} ${most}${what}`;
}

/** Whether a reader wants to see more than typeText(): members, or members of items. */
export function hasMembers(paper, schema) {
	const { schema: own } = resolve(paper, schema);
	if (own.type === "array") {
		return hasMembers(paper, own.items ?? {});
	}
	const { members, choices } = shape(paper, own);
	return members.length > 0 || choices.flat().some((one) => hasMembers(paper, one));
}

/** A value that fits the schema, as far as a reader cares. */
export function exampleOf(paper, schema, depth = 0) {
	const { schema: own } = resolve(paper, schema);
	const known = own.example ?? own.examples?.[0] ?? own.const ?? own.default ?? own.enum?.[0];
	if (known !== undefined) {
		return known;
	}
	if (depth > DEPTH_MAX) {
		return null;
	}
	const { members, required, choices } = shape(paper, own);
	if (members.length) {
		const needed = new Set([...required,
			...choices.flatMap((choice) => choice.find(requiredOnly)?.required ?? [])]);
		const wanted = needed.size ? members.filter((member) => needed.has(member.name)) : members;
		return Object.fromEntries(wanted.map((member) =>
			[member.name, exampleOf(paper, member.schema, depth + 1)]));
	}
	if (choices.length) {
		return exampleOf(paper, choices[0][0], depth + 1);
	}
	switch ([own.type].flat()[0]) {
	case "array":
		return [exampleOf(paper, own.items ?? {}, depth + 1)];
	case "object":
		return {};
	case "integer":
	case "number":
		return own.minimum ?? 1;
	case "boolean":
		return true;
	case "string":
		return "text";
	default:
		return null;
	}
}
