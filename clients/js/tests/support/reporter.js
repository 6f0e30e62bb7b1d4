/*
 * reporter - what tests/check/run reads of a run of node --test: a line for each test that failed,
 * with its error, and last "N passed, N failed".
 */
export default async function * report(events) {
	let passed = 0, failed = 0;
	for await (const { type, data } of events) {
		if (type === 'test:stdout' || type === 'test:stderr')
			yield data.message;
		if (type !== 'test:pass' && type !== 'test:fail' || data.details.type === 'suite')
			continue;
		if (type === 'test:pass') {
			passed++;
			continue;
		}
		failed++;
		const error = data.details.error?.cause ?? data.details.error;
		yield `FAILED ${data.name} (${data.file})\n${error?.stack ?? error}\n`;
	}
	yield `${passed} passed, ${failed} failed\n`;
}
