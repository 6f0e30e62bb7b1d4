/** docs - the page of the REST API, from openapi.yaml. */
import { element } from "../dom.js";
import { blocks } from "./markdown.js";
import { navigation } from "./navigation.js";
import { operationView } from "./operation-view.js";
import { groupsOf } from "./operations.js";
import { goToPlace, readPaper } from "./page.js";
import { schemaView } from "./schema-view.js";

const main = document.getElementById("content");
const tokenField = document.getElementById("token");

const paper = await readPaper(main);
if (paper) {
	const groups = groupsOf(paper);
	main.replaceChildren(introduction(), ...groups.map(groupView));
	navigation({
		list: document.getElementById("list"), search: document.getElementById("search"),
		said: document.getElementById("found"), noun: "calls",
	}, groups.map((group) => ({
		name: titleOf(group),
		node: group.node,
		entries: group.operations.map((operation) => ({
			id: operation.id,
			label: [element("span", { class: `method ${operation.method.toLowerCase()}` }, operation.method), " ",
				element("span", { class: "path" }, operation.path)],
			text: [operation.method, operation.path, operation.summary, operation.about].join(" "),
			node: operation.node,
		})),
	})));
	goToPlace();
}

function introduction() {
	return element("section", { class: "introduction" },
		element("h1", {}, paper.info.title, " ", element("span", { class: "note" }, paper.info.version)),
		element("p", { class: "summary" }, paper.info.summary),
		blocks(paper.info.description),
		element("h2", {}, "Refusals"),
		element("p", {}, "The body of every refusal is a problem document (RFC 9457):"),
		schemaView(paper, { $ref: "#/components/schemas/Problem" }, "always"));
}

function titleOf({ name }) {
	return name[0].toUpperCase() + name.slice(1);
}

function groupView(group) {
	for (const operation of group.operations) {
		operation.node = operationView(paper, operation, tokenField);
	}
	group.node = element("section", { class: "group" },
		element("h2", {}, titleOf(group)), blocks(group.about),
		group.operations.map((operation) => operation.node));
	return group.node;
}
