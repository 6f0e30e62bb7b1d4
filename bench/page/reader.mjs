/** reader - one person's browser with the page in it. */
import { ChatPage } from "../../tests/page/support/chat.mjs";
import { HANG_MS, openContext, ORIGIN } from "../../tests/page/support/browser.mjs";
import { until } from "../../tests/page/support/people.mjs";
import { watch } from "./watch.mjs";

const ROWS = 5;

export class Reader {
	static async begin(browser) {
		const reader = new Reader();
		reader.context = await openContext(browser);
		reader.page = await reader.context.newPage();
		await reader.page.addInitScript(watch, { rows: ROWS, hang_ms: HANG_MS });
		reader.chat = new ChatPage(reader.page, ORIGIN);
		return reader;
	}

	/** The page, signed in. */
	static async signedIn(browser, person) {
		const reader = await Reader.begin(browser);
		await reader.page.goto("/");
		await reader.signIn(person);
		return reader;
	}

	async signIn(person) {
		this.person = person;
		await this.chat.signIn(person);
	}

	/** Milliseconds from the navigation to `form`, `box` or `messages`. */
	first(what) {
		return this.page.evaluate((name) => window.bench.first[name], what);
	}

	/** Milliseconds from the click to the messages. */
	async open({ name }) {
		const [ms] = await Promise.all([
			this.page.evaluate((mark) => window.bench.opened(mark), name), this.chat.link(name).click(),
		]);
		return ms;
	}

	/** The newest message is in sight. */
	ends({ mark }) {
		return this.page.evaluate((text) => window.bench.ends(text), mark);
	}

	/** Goes to the newest message, and waits until the server knows that all is read. */
	async readAll(place) {
		if (!await this.page.evaluate((text) => window.bench.isLast(text), place.mark)) {
			await this.chat.button("Jump to newest").click();
		}
		await this.ends(place);
		await until(`${place.name} is read`, async () =>
			!(await this.person.call("GET", `/conversations/${place.id}`)).unread);
	}

	numbers() {
		return this.page.evaluate(() => window.bench.numbers());
	}

	session() {
		return this.context.newCDPSession(this.page);
	}

	end() {
		return this.context.close();
	}
}

/** How many rows are missing, doubled or out of order. */
export const faultsOf = (numbers) => numbers.slice(1).filter((number, at) => number !== numbers[at] + 1).length;
