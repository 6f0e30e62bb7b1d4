/** events - the page of the socket and of the Kafka topics, from asyncapi.yaml. */
import { disclosure, element, newId } from "../../dom.js";
import { jsonBox } from "../json-view.js";
import { blocks, inline } from "../markdown.js";
import { navigation } from "../navigation.js";
import { goToPlace, readPaper } from "../page.js";
import { resolve } from "../schema.js";
import { schemaView } from "../schema-view.js";

const main = document.getElementById("content");

const paper = await readPaper(main);
if (paper) {
	const channels = Object.entries(paper.channels).map(([name, channel]) => channelOf(name, channel));
	main.replaceChildren(introduction(), ...channels.map(channelView));
	navigation({
		list: document.getElementById("list"), search: document.getElementById("search"),
		said: document.getElementById("found"), noun: "messages",
	}, channels.map((channel) => ({
		name: channel.address,
		node: channel.node,
		entries: channel.parts.flatMap((part) => part.messages),
	})));
	goToPlace();
}

function introduction() {
	return element("section", { class: "introduction" },
		element("h1", {}, paper.info.title, " ", element("span", { class: "note" }, paper.info.version)),
		blocks(paper.info.description));
}

/** {address, about, protocol, parts}: a part has the messages that go one way. */
function channelOf(name, channel) {
	const server = resolve(paper, channel.servers[0]).schema;
	const operations = Object.values(paper.operations).filter((operation) =>
		operation.channel.$ref === `#/channels/${name}`);
	const ways = operations.filter((operation) => operation.messages);
	const parts = ways.length
		? ways.map((operation) => ({ title: operation.summary, names: operation.messages.map(({ $ref }) => $ref.split("/").at(-1)) }))
		: [{ title: null, names: Object.keys(channel.messages) }];
	return {
		address: channel.address,
		about: channel.description,
		protocol: server.protocol,
		security: server.security?.map((one) => resolve(paper, one).schema.description) ?? [],
		uses: ways.length ? [] : operations.map((operation) => operation.summary),
		parts: parts.map((part) => ({
			title: part.title,
			messages: part.names.map((key) => messageOf(name, key, channel.messages[key])),
		})),
	};
}

function messageOf(channel, key, reference) {
	const { schema: message } = resolve(paper, reference);
	const payloads = (message.examples ?? []).map((example) => example.payload);
	return {
		id: `${channel}-${key}`,
		label: [element("span", { class: "path" }, key)],
		text: [key, message.title, JSON.stringify(payloads)].join(" "),
		message,
		key,
	};
}

function channelView(channel) {
	channel.node = element("section", { class: "group" },
		element("h2", {}, channel.address, " ", element("span", { class: "note" },
			channel.protocol === "ws" ? "WebSocket" : "Kafka topic")),
		blocks(channel.about), channel.security.map(blocks),
		channel.uses.length ? element("ul", {}, channel.uses.map((use) => element("li", {}, inline(use)))) : null,
		channel.parts.map((part) => [
			part.title ? element("p", { class: "way" }, inline(part.title)) : null,
			part.messages.map((entry) => messageView(channel, entry)),
		]));
	return channel.node;
}

function messageView(channel, entry) {
	const { message, key } = entry;
	const heading = element("h3", { id: newId("message"), class: "call" }, element("span", { class: "path" }, key));
	const kafka = channel.protocol === "kafka" ? message.bindings?.kafka?.key : null;
	const examples = message.examples ?? [];
	entry.node = element("article", { id: entry.id, "aria-labelledby": heading.id, class: "operation" },
		element("div", { class: "paper" },
			heading,
			element("p", { class: "summary" }, inline(message.title)),
			message.payload ? [element("h4", {}, "Payload"), schemaView(paper, message.payload)] : null,
			kafka ? [element("h4", {}, "Key"), schemaView(paper, kafka)] : null,
			message.headers && channel.protocol === "kafka"
				? [element("h4", {}, "Headers"), schemaView(paper, message.headers)] : null),
		examples.length ? element("div", { class: "trial" },
			examples.map((example, at) => exampleView(key, example, at))) : null);
	return entry.node;
}

function exampleView(key, example, at) {
	const name = `Example ${at + 1} of ${key}`;
	return [example.payload === undefined ? null : jsonBox(name, example.payload),
		example.headers ? disclosure("Its headers", () => jsonBox(`Headers of example ${at + 1} of ${key}`, example.headers)) : null];
}
