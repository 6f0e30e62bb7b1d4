/** operation-view - one call: what it does, a form to try it, and what it answers. */
import { disclosure, element, newId } from "../dom.js";
import { jsonBox, textBox } from "./json-view.js";
import { blocks, inline } from "./markdown.js";
import { bodyText, curlOf, requestOf, send } from "./request.js";
import { exampleOf, resolve, typeText } from "./schema.js";
import { schemaView } from "./schema-view.js";

const AUTHORITY = {
	bearer: "Needs a token",
	basic: "Needs the secret of the services",
};
// Members of an answer with a token that the reader may want to go on with.
const TOKENS = ["token", "access_token"];

/** An article. `tokenField` is the text field of the page, where tokens are read and put. */
export function operationView(paper, operation, tokenField) {
	const heading = element("h3", { id: newId("call"), class: "call" },
		element("span", { class: `method ${operation.method.toLowerCase()}` }, operation.method), " ",
		element("span", { class: "path" }, operation.path));
	return element("article", { id: operation.id, "aria-labelledby": heading.id, class: "operation" },
		element("div", { class: "paper" },
			heading,
			element("p", { class: "summary" }, inline(operation.summary)),
			blocks(operation.about),
			element("p", { class: "authority" }, AUTHORITY[operation.scheme] ?? "Open to everybody"),
			requestPart(paper, operation),
			responsesPart(paper, operation)),
		tryPart(paper, operation, tokenField));
}

// --- what the paper says --------------------------------------------------------------
function requestPart(paper, operation) {
	const schema = operation.contents[0]?.schema;
	return schema ? element("section", {}, element("h4", {}, "Request"), schemaView(paper, schema)) : null;
}

function responsesPart(paper, operation) {
	const good = operation.responses.filter((response) => response.code < "400");
	const bad = operation.responses.filter((response) => response.code >= "400");
	return element("section", {},
		element("h4", {}, "Responses"),
		good.map((response) => disclosure(responseTitle(response), () => responseBody(paper, response),
			{ open: Boolean(response.content), className: "response" })),
		bad.length ? disclosure(`Refusals: ${bad.map((response) => response.code).join(", ")}`,
			() => element("ul", { class: "refusals" }, bad.map((response) =>
				element("li", {}, responseTitle(response), refusalBody(paper, response)))),
			{ className: "response" }) : null);
}

function responseTitle({ code, description }) {
	return [element("span", { class: `code kind-${code[0]}` }, code), " ",
		element("span", {}, inline(description.trim().replace(/\s*\n\s*/g, " ")))];
}

function responseBody(paper, response) {
	const [type, content] = Object.entries(response.content ?? {})[0] ?? [];
	const parts = headsOf(paper, response);
	if (!content) {
		parts.push(element("p", { class: "note" }, "No body."));
	} else {
		parts.push(element("p", { class: "note" }, type), schemaView(paper, content.schema, "always"),
			disclosure("Example", () => jsonBox(`Example of ${response.code}`,
				content.example ?? exampleOf(paper, content.schema))));
	}
	return element("div", {}, parts);
}

/** Every refusal is a problem document, which the top of the page explains. */
function refusalBody(paper, response) {
	const own = Object.entries(response.content ?? {})
		.find(([type]) => type !== "application/problem+json")?.[1];
	const detail = response.content?.["application/problem+json"]?.example?.detail;
	return [headsOf(paper, response),
		detail ? element("p", { class: "note" }, "For example: ", element("q", {}, detail)) : null,
		own ? schemaView(paper, own.schema, "always") : null];
}

function headsOf(paper, response) {
	return Object.entries(response.headers ?? {}).map(([name, head]) => {
		const { schema: own } = resolve(paper, head);
		return element("p", { class: "note" }, "Header ", element("code", {}, name), ": ",
			typeText(paper, own.schema), own.description ? `. ${own.description}` : "");
	});
}

// --- the form -----------------------------------------------------------------------
function tryPart(paper, operation, tokenField) {
	const fields = operation.parameters.map((parameter) => parameterField(paper, parameter));
	const secret = operation.scheme === "basic" ? secretField() : null;
	const body = operation.contents.length ? bodyField(paper, operation) : null;
	const button = element("button", { type: "submit", class: "try" }, "Try it");
	const answer = element("section", { class: "answer", hidden: true });
	const said = element("p", { role: "status", class: "said" });
	const form = element("form", { class: "request", novalidate: true, autocomplete: "off" },
		fields.map((field) => field.row), secret?.row, body?.rows,
		element("div", { class: "row actions" }, button, said));

	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (button.getAttribute("aria-disabled") === "true" || !complete(fields)) {
			return;
		}
		const request = requestOf(operation, {
			values: Object.fromEntries(fields.map((field) => [field.name, field.input.value.trim()])),
			token: tokenField.value.trim(),
			secret: secret?.input.value,
			body: body?.input.value ?? "",
			type: body?.type(),
		});
		button.setAttribute("aria-disabled", "true");
		said.textContent = "Waiting for the answer…";
		try {
			const got = await send(request);
			said.textContent = `${got.code} ${got.reason} after ${got.ms} ms`;
			showAnswer(answer, request, got, tokenField);
		} catch (error) {
			said.textContent = "";
			showFailure(answer, request, error);
		}
		button.removeAttribute("aria-disabled");
	});
	form.addEventListener("keydown", (event) => {
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
			form.requestSubmit();
		}
	});
	return element("div", { class: "trial" }, form, answer);
}

/** Whether all that the path needs is there; else the first missing field says so. */
function complete(fields) {
	for (const field of fields) {
		const missing = field.required && field.input.value.trim() === "";
		field.input.setAttribute("aria-invalid", String(missing));
		field.fault.textContent = missing ? `${field.name} is needed.` : "";
	}
	const first = fields.find((field) => field.fault.textContent);
	first?.input.focus();
	return !first;
}

function parameterField(paper, parameter) {
	const [id, about, fault] = ["field", "about", "fault"].map(newId);
	const { schema: own } = resolve(paper, parameter.schema);
	/* A parameter of one value is sent or not. As a textbox, one with "Token" in its name would
	 * be a second textbox of that name. */
	const input = own.const !== undefined ? element("select", { id, "aria-describedby": `${about} ${fault}` },
		element("option", { value: "" }, "not sent"),
		element("option", { value: own.const }, own.const)) : element("input", {
		id, type: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": `${about} ${fault}`,
		inputmode: own.type === "integer" ? "numeric" : null, required: parameter.required ?? false,
		placeholder: own.default === undefined ? null : String(own.default),
	});
	const faultLine = element("span", { id: fault, class: "fault", role: "alert" });
	const row = element("div", { class: "row" },
		element("label", { for: id }, parameter.name),
		input,
		element("span", { id: about, class: "about" },
			element("span", { class: "type" }, `${parameter.in}, ${typeText(paper, parameter.schema)}`),
			parameter.required ? element("span", { class: "required" }, " required") : null, " ",
			inline((parameter.description ?? "").trim().replace(/\s*\n\s*/g, " "))),
		faultLine);
	return { name: parameter.name, required: parameter.required, input, fault: faultLine, row };
}

function secretField() {
	const id = newId("secret");
	const input = element("input", { id, type: "password", autocomplete: "off" });
	return { input, row: element("div", { class: "row" },
		element("label", { for: id }, "Secret of the services"), input) };
}

function bodyField(paper, operation) {
	const [id, choice] = [newId("body"), newId("type")];
	const input = element("textarea", { id, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
	const types = operation.contents.map((content) => content.type);
	const select = types.length > 1 ? element("select", { id: choice },
		types.map((type) => element("option", { value: type }, type))) : null;
	const type = () => select?.value ?? types[0];
	const fill = () => {
		const content = operation.contents.find((one) => one.type === type());
		input.value = bodyText(content.example ?? exampleOf(paper, content.schema), content.type);
		input.rows = Math.min(14, Math.max(3, input.value.split("\n").length));
	};
	select?.addEventListener("change", fill);
	fill();
	return { input, type, rows: [
		select ? element("div", { class: "row" }, element("label", { for: choice }, "Content type"), select)
			: element("p", { class: "note" }, types[0]),
		element("div", { class: "row" }, element("label", { for: id }, "Body"), input),
	] };
}

// --- the answer ---------------------------------------------------------------------
function showAnswer(answer, request, got, tokenField) {
	const heading = element("h4", { id: newId("answer") }, "Answer");
	answer.setAttribute("aria-labelledby", heading.id);
	answer.replaceChildren(...[
		heading,
		element("p", { class: "outcome" },
			element("strong", { class: `code kind-${String(got.code)[0]}` }, String(got.code)), " ",
			got.reason, " ", element("span", { class: "note" }, `${got.ms} ms`)),
		element("dl", { class: "heads" }, got.heads.map(([name, value]) =>
			element("div", {}, element("dt", {}, name), element("dd", {}, value)))),
		got.text === "" ? element("p", { class: "note" }, "No body.")
			: textBox("Body of the answer", got.text, got.isJson),
		tokenButton(got.value, tokenField),
		shellLine(request),
	].filter(Boolean));
	answer.hidden = false;
}

function tokenButton(value, tokenField) {
	const token = TOKENS.map((name) => value?.[name]).find((one) => typeof one === "string");
	if (!token) {
		return null;
	}
	const said = element("span", { role: "status", class: "said" });
	return element("p", { class: "actions" }, element("button", { type: "button", onclick: () => {
		tokenField.value = token;
		tokenField.dispatchEvent(new Event("input", { bubbles: true }));
		said.textContent = "The other calls send this token now.";
	} }, "Use this token"), said);
}

function showFailure(answer, request, error) {
	const heading = element("h4", { id: newId("answer") }, "Answer");
	answer.setAttribute("aria-labelledby", heading.id);
	answer.replaceChildren(heading,
		element("p", { role: "alert", class: "fault" }, error.name === "TimeoutError"
			? "The server did not answer within a minute."
			: "There was no answer: the server cannot be reached."),
		shellLine(request));
	answer.hidden = false;
}

function shellLine(request) {
	return disclosure("With curl", () => textBox("The same with curl", curlOf(location.origin, request), false));
}
