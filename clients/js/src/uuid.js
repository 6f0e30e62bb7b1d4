/*
 * uuid - UUIDs of version 7 (RFC 9562, section 5.7), which rise with each call of one process.
 *
 * The 12 bits of rand_a count calls within one millisecond (section 6.2, method 1). After 4,096
 * of them the time runs ahead of the clock. A clock that goes back does not take it back.
 */
const COUNTS = 4096;
let last = 0;

/* random: fills a Uint8Array, as crypto.getRandomValues does. */
export function uuid7(now_ms = Date.now(), random = bytes => crypto.getRandomValues(bytes)) {
	last = Math.max(last + 1, now_ms * COUNTS);
	const bytes = random(new Uint8Array(8));
	bytes[0] = bytes[0] & 0x3f | 0x80;
	const time = hex(Math.floor(last / COUNTS), 12);
	const tail = Array.from(bytes, byte => hex(byte, 2)).join('');
	return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(last % COUNTS, 3)}-` +
		`${tail.slice(0, 4)}-${tail.slice(4)}`;
}

const hex = (number, digits) => number.toString(16).padStart(digits, '0');
