/** request - makes the request of an operation from what a reader has typed, and sends it. */

const FORM = "application/x-www-form-urlencoded";
// Heads of an answer that tell a reader something.
const HEADS = ["content-type", "content-length", "location", "www-authenticate", "retry-after",
	"cache-control", "etag", "allow"];
// A bound on hanging: nginx gives up earlier.
const TIMEOUT_MS = 60_000;

/**
 * {method, path, heads, body}. `values` has the texts of the parameters, by name; empty ones are
 * left out of the query.
 */
export function requestOf(operation, { values, token, secret, body, type }) {
	let path = operation.path;
	const query = new URLSearchParams();
	for (const parameter of operation.parameters) {
		const value = values[parameter.name] ?? "";
		if (parameter.in === "path") {
			path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
		} else if (value !== "") {
			query.append(parameter.name, value);
		}
	}
	// The server wants the commas of a list as they are.
	const search = query.toString().replaceAll("%2C", ",");
	const heads = {};
	if (operation.scheme === "bearer" && token) {
		heads.Authorization = `Bearer ${token}`;
	}
	if (operation.scheme === "basic" && secret) {
		heads.Authorization = `Basic ${base64(`docs:${secret}`)}`;
	}
	if (type && body !== "") {
		heads["Content-Type"] = type;
	}
	return {
		method: operation.method,
		path: search ? `${path}?${search}` : path,
		heads,
		body: type && body !== "" ? body : undefined,
	};
}

/** What a text field shows for an example of this content type. */
export function bodyText(example, type) {
	return type === FORM ? new URLSearchParams(example).toString() : JSON.stringify(example, null, 2);
}

/** The same request for a shell. The token is a variable: a history would keep it. */
export function curlOf(origin, request) {
	const words = ["curl", "-i"];
	if (request.method !== "GET") {
		words.push("-X", request.method);
	}
	words.push(quoted(origin + request.path));
	for (const [name, value] of Object.entries(request.heads)) {
		if (name === "Authorization") {
			words.push("-H", value.startsWith("Bearer") ? '"Authorization: Bearer $TOKEN"'
				: '"Authorization: Basic $(printf docs:$SECRET | base64 -w 0)"');
		} else {
			words.push("-H", quoted(`${name}: ${value}`));
		}
	}
	if (request.body !== undefined) {
		words.push("-d", quoted(request.body));
	}
	return words.join(" ");
}

function quoted(text) {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

function base64(text) {
	return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/**
 * {code, reason, heads, text, isJson, ms}. Throws when there is no answer. No cookies go along,
 * so the page acts for nobody but the typed token.
 */
export async function send(request) {
	const began = performance.now();
	const answer = await fetch(request.path, {
		method: request.method, headers: request.heads, body: request.body,
		credentials: "omit", cache: "no-store", redirect: "manual",
		signal: AbortSignal.timeout(TIMEOUT_MS),
	});
	const text = await answer.text();
	return {
		code: answer.status,
		reason: answer.statusText,
		heads: HEADS.filter((name) => answer.headers.has(name))
			.map((name) => [name, answer.headers.get(name)]),
		ms: Math.round(performance.now() - began),
		...readable(text, answer.headers.get("content-type") ?? ""),
	};
}

/** Numbers above 2^53 would change in JSON.parse: such a text stays as it came. */
function readable(text, type) {
	if (!/^application\/([\w.-]+\+)?json/.test(type)) {
		return { text, value: undefined, isJson: false };
	}
	try {
		const value = JSON.parse(text);
		const again = /\d{16}/.test(text) ? text : JSON.stringify(value, null, 2);
		return { text: again, value, isJson: true };
	} catch {
		return { text, value: undefined, isJson: false };
	}
}
