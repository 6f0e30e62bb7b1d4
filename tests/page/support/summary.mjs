/** summary - a reporter of node:test: what failed and why, and the line that the runner counts. */
import { inspect } from "node:util";

export default async function* summary(events) {
	let passed = 0;
	let failed = 0;
	for await (const { type, data } of events) {
		if (type === "test:stderr" || type === "test:stdout") {
			yield data.message;
		}
		if (type !== "test:pass" && type !== "test:fail" || data.details?.type === "suite") {
			continue;
		}
		if (type === "test:pass") {
			passed += 1;
			yield `ok      ${data.name} (${Math.round(data.details.duration_ms)} ms)\n`;
		} else {
			failed += 1;
			const error = data.details.error;
			yield `failed  ${data.name}\n${inspect(error?.cause ?? error)}\n`;
		}
	}
	yield `${passed} passed, ${failed} failed\n`;
}
