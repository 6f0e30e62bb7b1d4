/** schema.js: types in words, members, examples. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { exampleOf, hasMembers, requiredOnly, resolve, shape, typeText } from "../schema.js";

const PAPER = { components: { schemas: {
	Id: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
	Name: { type: "string", minLength: 1, maxLength: 64 },
	User: { type: "object", required: ["id"], properties: { id: { $ref: "#/components/schemas/Id" }, name: { $ref: "#/components/schemas/Name" } } },
	Own: { allOf: [{ $ref: "#/components/schemas/User" }, { type: "object", required: ["phone"], properties: { phone: { type: ["string", "null"] } } }] },
	Either: { oneOf: [{ $ref: "#/components/schemas/User" }, { type: "null" }] },
	Loop: { type: "object", required: ["next"], properties: { next: { $ref: "#/components/schemas/Loop" } } },
	"a/b~c": { const: 1 },
} } };
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

const TYPES = [
	[ref("Id"), "integer, at least 1"], [ref("Name"), "string, 1 to 64 characters"],
	[{ type: ["string", "null"] }, "string or null"], [{ const: "a" }, '"a"'], [{ enum: ["a", 1] }, '"a" | 1'],
	[{ type: "array", items: ref("User"), maxItems: 5 }, "list of User, at most 5 items"],
	[{ type: "array", items: ref("Id") }, "list of (integer, at least 1)"],
	[{ type: "array" }, "list of anything"],
	[ref("User"), "object"], [ref("Own"), "object"], [ref("Either"), "User or null"], [{ type: "object" }, "any object"],
	[{}, "anything"], [true, "anything"], [{ type: "integer", minimum: 0, maximum: 9 }, "integer, 0 to 9"],
	[{ type: "string", minLength: 6, maxLength: 6, format: "x" }, "string, 6 characters, x"],
];

for (const [schema, text] of TYPES) {
	test(`${JSON.stringify(schema)} is ${text}`, () => assert.equal(typeText(PAPER, schema), text));
}

test("a reference has a name, and what stands beside it counts", () => {
	assert.deepEqual(resolve(PAPER, { ...ref("Id"), description: "x" }),
		{ name: "Id", schema: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "x" } });
	assert.equal(resolve(PAPER, { $ref: "#/components/schemas/a~1b~0c" }).schema.const, 1);
});

test("the members of allOf are members", () => {
	const { members, required } = shape(PAPER, ref("Own"));
	assert.deepEqual(members.map(({ name, required: needed }) => [name, needed]), [["id", true], ["name", false], ["phone", true]]);
	assert.deepEqual(required.sort(), ["id", "phone"]);
});

test("each oneOf and anyOf is a choice of its own", () => {
	const { choices } = shape(PAPER, { allOf: [
		{ anyOf: [{ required: ["a"] }, { required: ["b"] }] }, { oneOf: [{ required: ["c"] }, { properties: { d: {} } }] }] });
	assert.deepEqual(choices.map((choice) => choice.map((one) => Boolean(requiredOnly(one)))), [[true, true], [true, false]]);
});

test("an example has what is required, and an end", () => {
	assert.deepEqual(exampleOf(PAPER, ref("Own")), { id: 1, phone: "text" });
	assert.deepEqual(exampleOf(PAPER, { properties: { a: { default: 5 }, b: { enum: ["x"] } } }), { a: 5, b: "x" });
	assert.deepEqual(exampleOf(PAPER, { type: "object", anyOf: [{ required: ["a"] }, { required: ["b"] }],
		properties: { a: { type: "boolean" }, b: {} } }), { a: true });
	assert.ok(JSON.stringify(exampleOf(PAPER, ref("Loop"))).length < 1000);
});

test("what has members is shown further", () => {
	for (const [schema, expected] of [[ref("User"), true], [ref("Id"), false], [{ type: "array", items: ref("User") }, true],
		[ref("Either"), true], [{ type: "array" }, false]]) {
		assert.equal(hasMembers(PAPER, schema), expected, JSON.stringify(schema));
	}
});
