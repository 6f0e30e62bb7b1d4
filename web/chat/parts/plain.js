/** plain - what went wrong, in words for the reader. */

const REACH = "Parley cannot be reached. Try again.";
const WORDS = {
	network: () => REACH,
	unavailable: () => REACH,
	closed: () => REACH,
	unauthorized: () => "Your session has ended. Sign in again.",
	signed_out: () => "Your session has ended. Sign in again.",
	too_large: () => "That is too long.",
	too_fast: ({ retry_after_ms }) => `Too many tries. Try again in ${seconds(retry_after_ms)}.`,
};
// Details of the server that are about the form of a request.
const DETAILS = [[/^users has too many ids/, "That are too many people at once."]];

/** A sentence about an error of the SDK. `own` has sentences for some of its codes. */
export function plain(error, own = {}) {
	const { code, message } = error;
	if (code === undefined) {
		reportError(error);
		return "Something went wrong in this page. Try again.";
	}
	return own[code] ?? WORDS[code]?.(error) ?? DETAILS.find(([form]) => form.test(message))?.[1] ?? sentence(message);
}

function seconds(ms = 1000) {
	const count = Math.ceil(ms / 1000);
	return count === 1 ? "a second" : `${count} seconds`;
}

/** "new_password must have 8 to 256 bytes" is one, nearly. */
function sentence(text) {
	const words = text.replaceAll(/\b([a-z]+)_([a-z]+)\b/g, "$1 $2");
	return `${words[0].toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}
