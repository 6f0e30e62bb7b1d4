/** wire - counts what a page gets from the server: heads and bodies as they are sent, and the socket's frames. */
import { until } from "../../tests/page/support/people.mjs";

const QUIET_MS = 500;

export class Wire {
	#requests = new Map();
	#open = new Set();
	#last = Date.now();

	static async of(reader) {
		const wire = new Wire();
		const session = await reader.session();
		const on = (event, listener) => session.on(`Network.${event}`, (value) => {
			wire.#last = Date.now();
			listener(value);
		});
		on("requestWillBeSent", ({ requestId: id, request }) => wire.#begin(id, request.url));
		on("loadingFinished", ({ requestId: id, encodedDataLength: bytes }) => wire.#end(id, bytes));
		on("loadingFailed", ({ requestId: id }) => wire.#end(id, 0));
		on("webSocketCreated", ({ requestId: id, url }) => wire.#requests.set(id, { path: new URL(url).pathname, bytes: 0 }));
		on("webSocketFrameReceived", ({ requestId: id, response }) => {
			wire.#requests.get(id).bytes += Buffer.byteLength(response.payloadData);
		});
		await session.send("Network.enable");
		return wire;
	}

	#begin(id, url) {
		this.#requests.set(id, { path: new URL(url).pathname, bytes: 0 });
		this.#open.add(id);
	}

	#end(id, bytes) {
		this.#requests.get(id).bytes = bytes;
		this.#open.delete(id);
	}

	/** The sum, when nothing has been asked for a while. */
	async total() {
		await until("all answers are there", () => !this.#open.size && Date.now() - this.#last > QUIET_MS);
		return this.requests.reduce((sum, { bytes }) => sum + bytes, 0);
	}

	get requests() {
		return [...this.#requests.values()];
	}
}
