/**
 * places - the two groups that are read, with many messages each, and who writes into them. A
 * message's text names its group and has its number.
 */
import { uuid7 } from "../../clients/js/src/index.js";
import { ORIGIN } from "../../tests/page/support/browser.mjs";
import { newName, Person } from "../../tests/page/support/people.mjs";

const TURN_MS = 2;

class Place {
	#written = 0;

	constructor(name, id, writer) {
		Object.assign(this, { name, id, writer });
	}

	/** What only the newest message has. */
	get mark() {
		return `${this.name} #${this.#written} `;
	}

	/* Of 1 to 40 words, as people write. */
	#texts(count) {
		return Array.from({ length: count }, () => {
			this.#written += 1;
			return `${this.mark}${"word ".repeat(1 + this.#written * 7 % 40).trimEnd()}`;
		});
	}

	/** Writes `count` messages as fast as the services take them. */
	async fill(count) {
		await this.writer.plant(this.id, this.#texts(count));
	}

	/** Writes messages at fixed times for so many seconds; resolves when all are saved. */
	async pace(rate, seconds) {
		const texts = this.#texts(rate * seconds);
		const open = new Set();
		const socket = new WebSocket(`${ORIGIN.replace("http", "ws")}/ws`, ["parley", `bearer.${this.writer.token}`]);
		let timer = null;
		try {
			await new Promise((resolve, reject) => {
				let sent = 0;
				const write = (began) => {
					while (sent < texts.length && performance.now() - began >= sent * 1000 / rate) {
						const uuid = uuid7();
						open.add(uuid);
						socket.send(JSON.stringify({ uuid, conversation: this.id, message: texts[sent] }));
						sent += 1;
					}
				};
				socket.onclose = ({ code }) => reject(new Error(`the writer's socket closed with ${code}`));
				socket.onmessage = ({ data }) => {
					const frame = JSON.parse(data);
					if (frame.type === "welcome") {
						timer = setInterval(write, TURN_MS, performance.now());
					} else if (frame.state === "error" || frame.type === "error") {
						reject(new Error(data));
					} else if (frame.state === "saved" && open.delete(frame.uuid) && sent === texts.length && !open.size) {
						resolve();
					}
				};
			});
		} finally {
			clearInterval(timer);
			socket.onclose = null;
			socket.close();
		}
	}
}

/** Two groups of `count` messages each, and people who are members of both and have read nothing. */
export async function makePlaces(count, readers) {
	const writer = await Person.register();
	const people = [];
	for (let made = 0; made < readers; made++) {
		people.push(await Person.register());
	}
	const places = [];
	for (let made = 0; made < 2; made++) {
		const name = newName("group");
		places.push(new Place(name, await writer.makes("group", name, ...people), writer));
		await places[made].fill(count);
	}
	return { places, people };
}
