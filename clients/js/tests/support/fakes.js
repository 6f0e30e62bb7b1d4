/*
 * fakes - the two doors of the SDK to the network, in the hand of a unit test.
 */

/* A WebSocket constructor; `made` has all sockets, `sent` of a socket its frames, parsed. */
export function fake_sockets() {
	class FakeSocket {
		static made = [];
		sent = [];
		closed_with = null;

		constructor(url, protocols) {
			Object.assign(this, { url, protocols });
			FakeSocket.made.push(this);
		}

		send(text) {
			this.sent.push(JSON.parse(text));
		}

		close(code) {
			this.closed_with = code;
		}

		/* What the server does. */
		brings(frame) {
			this.onmessage?.({ data: JSON.stringify(frame) });
		}

		welcomes(user = 1) {
			this.brings({ type: 'welcome', user, session: 's', ping_interval_s: 25 });
		}

		ends(code, reason = '') {
			this.onclose?.({ code, reason });
		}
	}
	return FakeSocket;
}

/*
 * A fetch that answers from a table: `METHOD /path` -> [status, body] or a function of the parsed
 * body that returns it, or throws. `asked` has all requests.
 */
export function fake_fetch(answers) {
	const asked = [];
	const fetch = async (url, { method, body, headers, credentials }) => {
		const path = `${method} ${url.pathname}${url.search}`;
		const parsed = body && JSON.parse(body);
		asked.push({ path, body: parsed, headers, credentials });
		const answer = answers[path] ?? answers[`${method} ${url.pathname}`];
		if (!answer)
			throw new Error(`the test has no answer for ${path}`);
		const [status, value, more] = typeof answer === 'function' ? await answer(parsed, headers) : answer;
		const text = value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
		return new Response(text, { status, headers: more });
	};
	return Object.assign(fetch, { asked });
}

/* Lets all promises that can go on do so; for tests with timers that are mocked. */
export async function settle() {
	for (let turn = 0; turn < 50; turn++)
		await Promise.resolve();
}

/* Moves mocked time in steps, and lets promises go on between them. */
export async function pass(timers, ms, step_ms = 100) {
	for (let gone = 0; gone < ms; gone += step_ms) {
		timers.tick(Math.min(step_ms, ms - gone));
		await settle();
	}
}
