/*
 * rest - one request to the REST API (docs/protocol/rest.md).
 */
import { ParleyError, rest_error } from './errors.js';

const TIMEOUT_MS = 30000;

export class Rest {
	/* url: the address of the installation, ending with a slash. */
	constructor(url, fetch) {
		this.url = url;
		this.fetch = fetch;
	}

	/*
	 * The parsed body of the answer, or null. Throws a ParleyError: `network`, retryable, if
	 * no whole answer comes within 30 s.
	 */
	async ask(method, path, { token, body, headers, ...rest } = {}) {
		const sent = { accept: 'application/json', ...headers };
		if (token)
			sent.authorization = `Bearer ${token}`;
		if (body !== undefined)
			sent['content-type'] = 'application/json';
		let answer, text;
		try {
			answer = await this.fetch(new URL(path.replace(/^\//, ''), this.url), {
				method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body),
				cache: 'no-store', credentials: 'omit', redirect: 'error',
				signal: AbortSignal.timeout(TIMEOUT_MS), ...rest,
			});
			text = await answer.text();
		} catch (error) {
			throw new ParleyError('network', error.message, { retryable: true });
		}
		const value = parsed(text);
		if (answer.ok && (value !== null || !text))
			return value;
		throw rest_error(answer.ok ? 502 : answer.status, value,
			Number(answer.headers.get('retry-after')));
	}
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
