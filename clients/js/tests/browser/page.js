/*
 * page - what runs in the browser: the SDK with IndexedDB, Web Locks and BroadcastChannel. It goes
 * over a reload (part 2), and has a second tab in a frame. POST /result has the failures.
 */
import { Client, IndexedDBStore } from '/sdk/index.js';

const password = 'correct horse 1';
const failures = [];
const part = new URLSearchParams(location.search);
const equal = (what, got, expected) => {
	const [a, b] = [got, expected].map(it => JSON.stringify(it));
	if (a !== b)
		failures.push(`${what}: ${a}, not ${b}`);
};
const client = options => new Client({ url: '/', ...options });
const next = (on, event, fits = () => true) => new Promise(resolve => {
	const off = on.on(event, it => fits(it) && resolve(it, off()));
});
const until = async condition => {
	while (!await condition())
		await new Promise(resolve => setTimeout(resolve, 20));
};

async function a_store() {
	const [one, two] = [new IndexedDBStore('a'), new IndexedDBStore('a')];
	await one.clear();
	await one.set('k/1', { deep: [1, 'ä', null] });
	await one.set('k/2', 2);
	await one.set('l/1', 3);
	equal('get', await two.get('k/1'), { deep: [1, 'ä', null] });
	equal('get of nothing', [await two.get('x')], [undefined]);
	equal('list', (await two.list('k/')).length, 2);
	await two.delete('k/1');
	equal('delete', await one.list('k/'), [2]);
	await two.close();
	equal('get after close', await two.get('l/1'), 3);
	await one.clear();
	equal('clear', await two.list(''), []);
	await Promise.all([one.close(), two.close()]);
	await new Promise((resolve, reject) => {
		const request = indexedDB.deleteDatabase('a');
		request.onsuccess = resolve;
		request.onerror = request.onblocked = reject;
	});
}

/* A chat, and a message that is written without a connection before the reload. */
async function before_the_reload() {
	const now = Date.now();
	const alice = client({ store: new IndexedDBStore('chat') }), bob = client();
	await alice.register(`alice-${now}`, password);
	await bob.register(`bob-${now}`, password);
	await Promise.all([alice.connect(), bob.connect()]);
	const heard = next(bob, 'message');
	await alice.send({ to: bob.user.id, text: 'hello' }).saved;
	equal('message', (await heard).message, 'hello');
	await alice.close();
	await bob.send({ to: alice.user.id, text: 'missed' }).saved;
	const { uuid } = alice.send({ to: bob.user.id, text: 'kept over the reload' });
	await until(async () => (await new IndexedDBStore('chat').list('outbox/')).length);
	location.search = new URLSearchParams({ part: 2, uuid, alice: alice.user.id, failures: JSON.stringify(failures) });
}

async function after_the_reload() {
	failures.push(...JSON.parse(part.get('failures')));
	const alice = client({ store: new IndexedDBStore('chat') }), seen = [];
	alice.on('message', ({ message }) => seen.push(message));
	equal('restore', (await alice.restore())?.id, Number(part.get('alice')));
	equal('outbox', alice.outbox().map(it => it.uuid), [part.get('uuid')]);
	const saved = next(alice, 'state', it => it.uuid === part.get('uuid'));
	await alice.connect();
	equal('saved once there is a connection', (await saved).seq, 3);
	await until(() => seen.length);
	equal('missed', seen, ['missed']);
	const { messages } = await alice.history((await alice.conversations())[0].id);
	equal('history', messages.map(it => it.message), ['hello', 'missed', 'kept over the reload']);
	await tabs(alice);
}

/* A frame is a tab: it shares the store, the locks and the channel, and nothing else. */
async function tabs(alice) {
	const frame = document.createElement('iframe');
	frame.src = '?part=tab';
	const ready = new Promise(resolve => addEventListener('message', resolve, { once: true }));
	document.body.append(frame);
	equal('the tab', (await ready).data, `connected ${alice.user.id}`);
	const tab = frame.contentWindow.client;
	equal('two tabs are alive', (await navigator.locks.query()).held.length, 2);

	/* A message that the tab leaves behind is sent by the other one. */
	const { uuid } = tab.send({ to: 2 ** 52, text: 'refused, and so kept as failed' });
	await next(tab, 'state', it => it.uuid === uuid);
	await until(async () => (await new IndexedDBStore('chat').list('outbox/'))[0]?.state === 'failed');
	equal('what is the tab\'s', alice.outbox(), []);
	await tab.close();
	await until(() => alice.outbox().length);
	equal('what the tab has left', alice.outbox()[0].uuid, uuid);

	await tab.connect();
	const gone = next(tab, 'signedout');
	await alice.logout();
	equal('the tab is signed out', (await gone).reason, 'signed_out');
	await new Promise(resolve => setTimeout(resolve, 500)); /* longer than a write waits */
	equal('all is erased', await new IndexedDBStore('chat').list(''), []);
}

async function in_the_frame() {
	globalThis.client = client({ store: new IndexedDBStore('chat') });
	await globalThis.client.restore();
	await globalThis.client.connect();
	parent.postMessage(`${globalThis.client.status} ${globalThis.client.user.id}`);
}

const report = () => fetch('/result', { method: 'POST', body: JSON.stringify(failures) });
const fail = error => {
	failures.push(String(error?.stack ?? error));
	return report();
};
addEventListener('error', event => fail(event.error));
addEventListener('unhandledrejection', event => fail(event.reason));

if (part.get('part') === 'tab')
	await in_the_frame();
else if (part.get('part') === '2')
	await after_the_reload().then(report, fail);
else
	await a_store().then(before_the_reload).catch(fail);
