/** frames - the frames that the page makes while messages arrive in the open conversation, and at rest. */
import { faultsOf, Reader } from "./reader.mjs";

const REST_MS = 3000;
/* The writer begins before the frames are counted, and goes on behind them. */
const LEAD_S = 1;
const TAIL_S = 2;
const SHARES = { all: "TaskDuration", script: "ScriptDuration", style: "RecalcStyleDuration", layout: "LayoutDuration" };

export async function frames(browser, { places: [place], people: [person] }, { rate, seconds }) {
	const reader = await Reader.signedIn(browser, person);
	await reader.open(place);
	await reader.readAll(place);
	const session = await reader.session();
	await session.send("Performance.enable", { timeDomain: "threadTicks" });
	const rest = await counted(reader, session, REST_MS);
	const writing = place.pace(rate, LEAD_S + seconds + TAIL_S);
	writing.catch(() => {}); // told below
	await reader.page.waitForTimeout(LEAD_S * 1000);
	const busy = await counted(reader, session, seconds * 1000);
	await writing;
	await reader.ends(place);
	const faults = faultsOf(await reader.numbers());
	await reader.end();
	return { rate, seconds, rest, busy, clean: faults === 0, faults };
}

async function counted(reader, session, ms) {
	const before = await figures(session);
	const began = performance.now();
	const [from, times, to] = await reader.page.evaluate(async (length) => {
		const newest = () => window.bench.numbers().at(-1);
		const first = newest();
		return [first, await window.bench.frames(length), newest()];
	}, ms);
	const after = await figures(session);
	const all_s = (performance.now() - began) / 1000;
	const gaps = times.slice(1).map((at, number) => at - times[number]).sort((a, b) => a - b);
	const took_s = (times.at(-1) - times[0]) / 1000;
	return {
		frames_per_s: gaps.length / took_s,
		worst_gap_ms: gaps.at(-1),
		gaps_over_50_ms: gaps.filter((gap) => gap > 50).length,
		arrived_per_s: (to - from) / took_s,
		// The CPU time of the page's thread, as a share of a core, and what of it its scripts and so on take.
		thread: Object.fromEntries(Object.entries(SHARES).map(([name, metric]) =>
			[name, (after[metric] - before[metric]) / all_s])),
	};
}

async function figures(session) {
	const { metrics } = await session.send("Performance.getMetrics");
	return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}
