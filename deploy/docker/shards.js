// shards.js - selects the gateways that read a user's events: docs/large.md.
//
// For nginx's JavaScript module (njs), which has no 64-bit numbers. The token names
// the user. nginx does not verify the token and need not: the gateway asks the
// identity service, and refuses a token that is not valid.

function token_of(headers) {
	const bearer = /^Bearer +([^ ]+) *$/i.exec(headers['Authorization'] || '');
	if (bearer)
		return bearer[1];
	const offered = /(?:^|,) *bearer\.([^, ]+)/.exec(headers['Sec-WebSocket-Protocol'] || '');
	return offered ? offered[1] : '';
}

// NaN when the token does not have the expected form.
function user_of(token) {
	try {
		const claims = Buffer.from(token.split('.')[1], 'base64url').toString();
		return Number(JSON.parse(claims).sub);
	} catch (e) {
		return NaN;
	}
}

// The low 64 bits of a product.
function multiply(a, b) {
	const a0 = a.low & 0xffff, a1 = a.low >>> 16;
	const b0 = b.low & 0xffff, b1 = b.low >>> 16;
	const p0 = a0 * b0, p1 = a0 * b1, p2 = a1 * b0;
	const middle = (p0 >>> 16) + (p1 & 0xffff) + (p2 & 0xffff);
	const carry = a1 * b1 + (p1 >>> 16) + (p2 >>> 16) + (middle >>> 16);

	return {
		high: (carry + Math.imul(a.high, b.low) + Math.imul(a.low, b.high)) >>> 0,
		low: ((middle << 16) | (p0 & 0xffff)) >>> 0,
	};
}

// x ^= x >> 33
function fold(x) {
	return {high: x.high, low: (x.low ^ (x.high >>> 1)) >>> 0};
}

// The same as event_partition() in common/wire/event.c.
function partition_of(user, partitions) {
	let x = {high: Math.floor(user / 0x100000000), low: user >>> 0};

	x = multiply(fold(x), {high: 0xff51afd7, low: 0xed558ccd});
	x = multiply(fold(x), {high: 0xc4ceb9fe, low: 0x1a85ec53});
	x = fold(x);
	return ((x.high % partitions) * (0x100000000 % partitions) + x.low) % partitions;
}

// The upstream for this request: websocket_0 and so on.
function gateways(r) {
	const user = user_of(token_of(r.headersIn));
	const partition = partition_of(user, Number(r.variables.parley_partitions));

	return 'websocket_' + (user >= 1 ? partition % Number(r.variables.parley_shards) : 0);
}

export default {gateways, partition_of, token_of, user_of};
