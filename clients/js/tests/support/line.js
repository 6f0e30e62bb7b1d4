/*
 * line - a TCP line between clients and the installation that a test can break.
 */
import { connect, createServer } from 'node:net';

export class Line {
	#pairs = new Set();
	#state = 'good';

	/* Resolves to a line to this http:// address. */
	static async to(address) {
		const line = new Line();
		const { hostname, port } = new URL(address);
		line.server = createServer(client => line.#join(client, connect(port, hostname)));
		await new Promise(resolve => line.server.listen(0, '127.0.0.1', resolve));
		line.url = `http://127.0.0.1:${line.server.address().port}`;
		return line;
	}

	#join(client, server) {
		const pair = { client, server };
		const end = () => {
			client.destroy();
			server.destroy();
			this.#pairs.delete(pair);
		};
		if (this.#state === 'cut')
			return end();
		this.#pairs.add(pair);
		client.on('data', bytes => server.write(bytes)).on('error', end).on('close', end);
		server.on('data', bytes => this.#state === 'deaf' || client.write(bytes))
			.on('error', end).on('close', end);
	}

	/* All connections end, and no new one is taken. */
	cut() {
		this.#state = 'cut';
		for (const { client, server } of this.#pairs) {
			client.destroy();
			server.destroy();
		}
	}

	/* What clients send arrives; the answers are lost. */
	deafen() {
		this.#state = 'deaf';
	}

	mend() {
		this.#state = 'good';
	}

	close() {
		this.cut();
		this.server.close();
	}
}
