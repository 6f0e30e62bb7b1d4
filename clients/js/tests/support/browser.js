/*
 * browser - a page in Debian's Chromium, on an origin that has the SDK, the test page and Parley.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { HANG_MS } from './stack.js';

const ROOTS = { '/sdk/': '../../src/', '/page/': '../browser/' };
const TYPES = { js: 'text/javascript', html: 'text/html; charset=utf-8' };

async function file_of(path) {
	const root = Object.keys(ROOTS).find(it => path.startsWith(it));
	if (!root || path.includes('..'))
		return null;
	return readFile(new URL(ROOTS[root] + path.slice(root.length), import.meta.url)).catch(() => null);
}

/* Serves files and, below all other paths, `parley`. POST /result resolves the promise. */
export function serve(t, parley) {
	const { hostname, port } = new URL(parley);
	let tell;
	const result = new Promise(resolve => { tell = resolve; });
	const server = createServer(async (asked, answer) => {
		const path = new URL(asked.url, parley).pathname;
		if (path === '/result') {
			let text = '';
			for await (const bytes of asked)
				text += bytes;
			answer.end();
			return tell(JSON.parse(text));
		}
		const file = await file_of(path);
		if (file) {
			answer.setHeader('content-type', TYPES[path.split('.').at(-1)]);
			return answer.end(file);
		}
		const on = request({ hostname, port, path: asked.url, method: asked.method, headers: asked.headers },
			back => back.pipe(answer.writeHead(back.statusCode, back.headers)));
		on.on('error', () => answer.destroy());
		asked.pipe(on);
	});
	server.on('upgrade', (asked, socket, head) => {
		const on = connect(port, hostname, () => {
			const lines = [`GET ${asked.url} HTTP/1.1`];
			for (let at = 0; at < asked.rawHeaders.length; at += 2)
				lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
			on.write(`${lines.join('\r\n')}\r\n\r\n`);
			on.write(head);
			socket.pipe(on).pipe(socket);
		});
		for (const [one, other] of [[on, socket], [socket, on]])
			one.on('error', () => other.destroy());
	});
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return new Promise(resolve => server.listen(0, '127.0.0.1', () =>
		resolve({ origin: `http://127.0.0.1:${server.address().port}`, result })));
}

/* Opens the page; the browser and its profile go when the test ends. */
export async function open(t, address) {
	const profile = await mkdtemp(`${tmpdir()}/parley-chromium-`);
	const child = spawn('chromium', ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
		'--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server', '--remote-debugging-port=0',
		`--user-data-dir=${profile}`, address], { stdio: 'ignore', detached: true });
	const ended = new Promise(resolve => child.on('close', resolve));
	t.after(async () => {
		process.kill(-child.pid, 'SIGKILL');
		await ended;
		await rm(profile, { recursive: true, force: true, maxRetries: 10 });
	});
	return new Promise((_, reject) => {
		child.on('error', reject);
		setTimeout(() => reject(new Error('the page said nothing')), HANG_MS).unref();
	});
}
