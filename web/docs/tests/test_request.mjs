/** request.js: what is sent, and the same for a shell. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { bodyText, curlOf, requestOf } from "../request.js";

const OPERATION = {
	method: "GET", path: "/conversations/{id}/messages", scheme: "bearer",
	parameters: [{ name: "id", in: "path" }, { name: "after", in: "query" }, { name: "ids", in: "query" }],
};

const REQUESTS = {
	"only what is filled in": [{ values: { id: "17", after: "" } }, "/conversations/17/messages", {}],
	"a query": [{ values: { id: "17", after: "a b&c=é" } }, "/conversations/17/messages?after=a+b%26c%3D%C3%A9", {}],
	"a list": [{ values: { id: "1", ids: "2,3" } }, "/conversations/1/messages?ids=2,3", {}],
	"a path that would lead elsewhere": [{ values: { id: "../x?y#z" } }, "/conversations/..%2Fx%3Fy%23z/messages", {}],
	"a token": [{ values: { id: "1" }, token: "t" }, "/conversations/1/messages", { Authorization: "Bearer t" }],
};

for (const [what, [typed, path, heads]] of Object.entries(REQUESTS)) {
	test(what, () => {
		const request = requestOf(OPERATION, { body: "", ...typed });
		assert.deepEqual(request, { method: "GET", path, heads, body: undefined });
	});
}

test("a call that is open to everybody gets no token", () => {
	const request = requestOf({ ...OPERATION, scheme: null }, { values: { id: "1" }, token: "t", body: "" });
	assert.deepEqual(request.heads, {});
});

test("the secret of the services is Basic, in UTF-8", () => {
	const request = requestOf({ ...OPERATION, scheme: "basic" }, { values: {}, secret: "ä", body: "" });
	assert.equal(Buffer.from(request.heads.Authorization.slice(6), "base64").toString(), "docs:ä");
});

test("a body has its type, and an empty one is none", () => {
	const operation = { method: "POST", path: "/x", parameters: [] };
	const full = requestOf(operation, { values: {}, body: "{}", type: "application/json" });
	assert.deepEqual([full.body, full.heads], ["{}", { "Content-Type": "application/json" }]);
	const empty = requestOf(operation, { values: {}, body: "", type: "application/json" });
	assert.deepEqual([empty.body, empty.heads], [undefined, {}]);
});

test("an example is JSON or a form", () => {
	assert.equal(bodyText({ a: "b c&", d: 1 }, "application/x-www-form-urlencoded"), "a=b+c%26&d=1");
	assert.deepEqual(JSON.parse(bodyText({ a: [1] }, "application/merge-patch+json")), { a: [1] });
});

for (const body of ['{"a":"it\'s"}', "$(touch x) `y` \\ \"z\" !", "two\nlines", "''"]) {
	test(`a shell sends ${JSON.stringify(body)} as it is`, () => {
		const line = curlOf("http://127.0.0.1:8080", { method: "POST", path: "/x?a=b&c", body,
			heads: { "Content-Type": "application/json", Authorization: "Bearer secret" } });
		assert.ok(!line.includes("secret"));
		const words = execFileSync("bash", ["-c", `curl() { printf '%s\\0' "$@"; }; TOKEN=t; ${line}`]).toString().split("\0");
		assert.deepEqual(words, ["-i", "-X", "POST", "http://127.0.0.1:8080/x?a=b&c", "-H", "Content-Type: application/json",
			"-H", "Authorization: Bearer t", "-d", body, ""]);
	});
}
