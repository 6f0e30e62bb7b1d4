/**
 * line - an HTTP server between a browser and the installation whose parts a test can cut: the
 * socket alone, the calls alone, or all. What clients do not see of it is unchanged: the heads of
 * requests, among them `Host`, pass through as they are.
 */
import { createServer, request } from "node:http";
import { connect } from "node:net";

/** What can be cut: paths. */
export const SOCKET = /^\/ws/;
export const CALLS = /^\/(ws|auth|conversations|channels|sync|blocks)/;
export const ALL = /^/;

export class Line {
	#cut = null;
	#deaf = false;
	#slow_ms = 0;
	#open = new Set();

	static async to(address) {
		const line = new Line();
		line.target = new URL(address);
		line.server = createServer((asked, answer) => line.#call(asked, answer));
		line.server.on("upgrade", (asked, socket, head) => line.#socket(asked, socket, head));
		await new Promise((resolve) => { line.server.listen(0, "127.0.0.1", resolve); });
		line.origin = `http://127.0.0.1:${line.server.address().port}`;
		return line;
	}

	#is_cut(path) {
		return this.#cut?.test(path);
	}

	#note(path, ...ends) {
		const end = () => {
			ends.forEach((one) => one.destroy());
			this.#open.delete(entry);
		};
		const entry = { path, end };
		this.#open.add(entry);
		ends.forEach((one) => one.on("error", end).on("close", end));
	}

	async #call(asked, answer) {
		if (this.#slow_ms) {
			await new Promise((resolve) => { setTimeout(resolve, this.#slow_ms); });
		}
		if (this.#is_cut(asked.url)) {
			return asked.socket.destroy();
		}
		const { hostname, port } = this.target;
		const on = request({ hostname, port, path: asked.url, method: asked.method, headers: asked.headers, agent: false },
			(back) => back.pipe(answer.writeHead(back.statusCode, back.rawHeaders)));
		const entry = { path: asked.url, end: () => asked.socket.destroy() };
		this.#open.add(entry);
		answer.on("close", () => this.#open.delete(entry));
		on.on("error", () => answer.destroy());
		return asked.pipe(on);
	}

	#socket(asked, socket, head) {
		if (this.#is_cut(asked.url)) {
			return socket.destroy();
		}
		const on = connect(this.target.port, this.target.hostname, () => {
			const lines = [`GET ${asked.url} HTTP/1.1`];
			for (let at = 0; at < asked.rawHeaders.length; at += 2) {
				lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
			}
			on.write(`${lines.join("\r\n")}\r\n\r\n`);
			on.write(head);
			socket.pipe(on);
			on.on("data", (bytes) => this.#deaf || socket.write(bytes));
		});
		return this.#note(asked.url, on, socket);
	}

	/** Connections for these paths end, and no new one is taken. */
	cut(paths = ALL) {
		this.#cut = paths;
		for (const { path, end } of this.#open) {
			if (paths.test(path)) {
				end();
			}
		}
	}

	/** What the page writes to the socket arrives; the answers are lost. */
	deafen() {
		this.#deaf = true;
	}

	/** Each call waits before it goes on. */
	slow(ms) {
		this.#slow_ms = ms;
	}

	mend() {
		this.#cut = null;
		this.#deaf = false;
		this.#slow_ms = 0;
	}

	close() {
		this.cut();
		this.server.close();
		this.server.closeAllConnections();
	}
}
