/*
 * broken_line - two people who chat over lines that break, under the ledger.
 */
import { Line } from './line.js';
import { Ledger, whole_history } from './ledger.js';
import { HANG_MS, new_name, password, until, url } from './stack.js';

export class Chat {
	/* Class: the Client under test. One with a bug may not get to the end: bound_ms. */
	static async begin(t, Class, bound_ms = HANG_MS) {
		const chat = new Chat();
		chat.bound_ms = bound_ms;
		chat.ledger = new Ledger();
		for (const name of ['alice', 'bob']) {
			const line = await Line.to(url), client = new Class({ url: line.url });
			t.after(async () => {
				await client.close();
				line.close();
			});
			await client.register(new_name(), password);
			await client.connect();
			chat.ledger.observe(name, client);
			chat[name] = Object.assign(client, { line });
		}
		const first = await chat.says('alice').saved;
		chat.conversation = first.conversation;
		return chat;
	}

	other(name) {
		return this[name === 'alice' ? 'bob' : 'alice'];
	}

	says(name) {
		return this.ledger.write(this[name], { to: this.other(name).user.id });
	}

	/* Any message, if no uuid is given. */
	hears(name, uuid) {
		return new Promise(resolve => {
			const off = this[name].on('message', frame => (uuid ?? frame.uuid) === frame.uuid && resolve(off()));
		});
	}

	/* All lines good, all said and heard, as far as it goes; then the breaches. */
	async end() {
		for (const { line } of [this.alice, this.bob])
			line.mend();
		const settled = () => this.ledger.all_settled;
		await until('all is settled', settled, this.bound_ms).catch(() => {});
		if (settled()) {
			const heard = [];
			this.hears('bob', this.says('alice').uuid).then(() => heard.push('bob'));
			this.hears('alice', this.says('bob').uuid).then(() => heard.push('alice'));
			await until('the last words are heard', () => settled() && heard.length === 2, this.bound_ms)
				.catch(() => {});
		}
		const history = await whole_history(this.alice, this.conversation);
		return this.ledger.judge(new Map([[this.conversation, history]]));
	}
}

/* What befalls each line once: away while the other one writes, and answers that are lost. */
export async function once_each(t, Class, bound_ms) {
	const chat = await Chat.begin(t, Class, bound_ms);
	chat.bob.line.cut();
	for (let n = 0; n < 5; n++)
		await chat.says('alice').saved;
	for (let n = 0; n < 5; n++)
		chat.says('bob');
	chat.bob.line.mend();
	await until('bob is back', () => chat.bob.status === 'connected');

	chat.alice.line.deafen();
	const heard = chat.hears('bob');
	for (let n = 0; n < 4; n++)
		chat.says('alice');
	await heard;
	chat.alice.line.cut();
	chat.alice.line.mend();
	return chat.end();
}
