/*
 * errors - what every call and every promise of the SDK fails with.
 *
 * code       of a frame: FRAME_CODES in docs/protocol/socket.md; of a REST call: REST_CODES;
 *            of the SDK itself: network, signed_out, closed, outbox_full, bad_call
 * status     the HTTP status; 0 if the refusal did not come over REST
 * retryable  true: the same call may succeed later
 */
const REST_CODES = {
	400: 'bad_request', 401: 'unauthorized', 403: 'not_allowed', 404: 'not_found',
	409: 'conflict', 410: 'gone', 413: 'too_large', 422: 'invalid', 429: 'too_fast',
};
const RETRYABLE = new Set([408, 429, 500, 502, 503, 504]);

export class ParleyError extends Error {
	/* retry_after_ms: what the server asks for; undefined if it says nothing. */
	constructor(code, detail, { status = 0, retryable = false, retry_after_ms } = {}) {
		super(detail || code);
		this.name = 'ParleyError';
		Object.assign(this, { code, status, retryable, retry_after_ms });
	}
}

/* problem: the parsed body of an error answer (RFC 9457), or null. */
export function rest_error(status, problem, retry_after_s) {
	const retryable = RETRYABLE.has(status);
	const code = REST_CODES[status] || (retryable ? 'unavailable' : 'refused');
	return new ParleyError(code, problem?.detail || problem?.title, {
		status, retryable,
		retry_after_ms: retry_after_s > 0 ? retry_after_s * 1000 : undefined,
	});
}

/* frame: an `error` frame, or a `state` frame with state `error`. */
export const frame_error = ({ code, detail, retryable }) =>
	new ParleyError(code, detail, { retryable });

export const signed_out = () => new ParleyError('signed_out', 'no user is signed in');

/* What send() and its like return for a frame that is not taken. */
export function refused(uuid, error) {
	const saved = Promise.reject(error);
	saved.catch(() => {});
	return { uuid, saved };
}
