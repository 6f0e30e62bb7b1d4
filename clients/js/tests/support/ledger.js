/*
 * ledger - what people wrote, what they were told, and what they saw; and the judgement.
 *
 * The laws: what was told `saved` is in the history, once, where it was told to be. What is in the
 * history was written, and each author's messages of a conversation stand there in the order of
 * writing. Everybody sees what others wrote: all of it, once, in the order of seq. (Each user of a
 * ledger has one client, which is told of its own messages by `state`.)
 */
export class Ledger {
	#written = new Map();
	#seen = new Map();
	#n = 0;

	/* From now on what this client's user sees is noted. */
	observe(name, client) {
		const seen = { user: client.user.id, entries: [] };
		this.#seen.set(name, seen);
		client.on('message', frame => seen.entries.push(frame));
		client.on('member', frame => seen.entries.push(frame));
	}

	/* Sends a text of its own. Returns {uuid, saved}. */
	write(client, target) {
		const text = `text ${++this.#n}`;
		const sent = client.send({ ...target, text });
		this.note(client.user.id, this.#n, text, sent);
		return sent;
	}

	note(author, n, text, { uuid, saved }) {
		const written = { author, n, text, uuid, saved: null, error: null };
		this.#written.set(uuid, written);
		saved.then(frame => { written.saved = frame; }, error => { written.error = error; });
	}

	/* The text of a message is to be another one. */
	rewrite(uuid, text) {
		this.#written.get(uuid).text = text;
	}

	/* Nobody waits for an answer. */
	get all_settled() {
		return [...this.#written.values()].every(({ saved, error }) => saved || error);
	}

	/*
	 * histories: Map conversation -> all its entries, ascending. since: Map conversation -> the seq
	 * behind which the observers began. Returns the breaches, as texts.
	 */
	judge(histories, since = new Map()) {
		return [...this.#judge_saved(histories), ...this.#judge_history(histories),
			...this.#judge_seen(histories, since)];
	}

	* #judge_saved(histories) {
		for (const { text, uuid, saved, error } of this.#written.values()) {
			const all = [...histories.values()].flat().filter(entry => entry.uuid === uuid);
			if (!saved && !error)
				yield `not settled: ${text}`;
			if (error && all.length)
				yield `refused, but in the history: ${text}`;
			if (saved && !all.some(entry => entry.conversation === saved.conversation &&
				entry.seq === saved.seq && entry.message === text))
				yield `lost: ${text} was saved as ${saved.conversation}/${saved.seq}`;
			if (all.length > 1)
				yield `saved twice: ${text}`;
		}
	}

	* #judge_history(histories) {
		for (const [conversation, entries] of histories) {
			const last = new Map();
			for (const { type, seq, uuid, message } of entries.filter(it => it.type === 'message')) {
				const written = this.#written.get(uuid);
				if (!written) {
					yield `nobody wrote ${type} ${conversation}/${seq}: ${message}`;
					continue;
				}
				if (written.n < (last.get(written.author) ?? 0))
					yield `the order of writing: ${written.text} at ${conversation}/${seq}`;
				last.set(written.author, written.n);
			}
		}
	}

	* #judge_seen(histories, since) {
		for (const [name, { user, entries }] of this.#seen) {
			const shown = new Set(), last = new Map();
			for (const { type, conversation, seq, uuid, user_from } of entries) {
				if (type === 'message' && user_from === user)
					yield `${name} was shown its own ${conversation}/${seq}`;
				const place = `${conversation}/${seq}`;
				if (shown.has(place) || shown.has(uuid))
					yield `${name} saw twice: ${place}`;
				else if (seq <= (last.get(conversation) ?? 0))
					yield `${name} saw out of order: ${place}`;
				shown.add(place).add(uuid);
				last.set(conversation, Math.max(seq, last.get(conversation) ?? 0));
			}
			for (const [conversation, history] of histories)
				for (const { type, seq, user_from } of history)
					if (seq > (since.get(conversation) ?? 0) && !shown.has(`${conversation}/${seq}`) &&
					    !(type === 'message' && user_from === user))
						yield `${name} never saw ${conversation}/${seq}`;
		}
	}
}

/*
 * mirror - the texts and reactions of others' messages, as the events of one client tell them. It
 * knows what was changed since `client` was connected.
 */
export class Mirror {
	#messages = new Map();

	constructor(client) {
		this.client = client;
		client.on('message', it => this.#messages.set(place(it), { ...it, reactions: new Map() }));
		client.on('edit', it => this.#change(it, { message: it.message }));
		client.on('delete', it => this.#change(it, { message: '', reactions: new Map() }));
		client.on('revised', it => this.#change(it, { message: it.message, reactions: reactions_of(it) }));
		client.on('reaction', it => this.#react(it));
	}

	#change(it, members) {
		Object.assign(this.#messages.get(place(it)) ?? {}, members);
	}

	#react(it) {
		const users = this.#messages.get(place(it))?.reactions;
		const set = new Set(users?.get(it.reaction));
		set[it.remove ? 'delete' : 'add'](it.user_from);
		users?.set(it.reaction, set);
	}

	/* What differs from the history, as texts. Own reactions come as `state`, and do not count. */
	differences(history) {
		const me = this.client.user.id, found = [];
		const others = map => JSON.stringify([...map].map(([reaction, users]) =>
			[reaction, [...users].filter(user => user !== me).sort()])
			.filter(([, users]) => users.length).sort());
		for (const entry of history.filter(it => it.type === 'message' && it.user_from !== me)) {
			const mine = this.#messages.get(place(entry));
			if (mine?.message !== entry.message)
				found.push(`${place(entry)} reads ${mine?.message}, not ${entry.message}`);
			else if (others(mine.reactions) !== others(reactions_of(entry)))
				found.push(`${place(entry)} has reactions ${others(mine.reactions)}, not ${others(reactions_of(entry))}`);
		}
		return found;
	}
}

const place = ({ conversation, seq }) => `${conversation}/${seq}`;
const reactions_of = ({ reactions = [] }) =>
	new Map(reactions.map(({ reaction, users }) => [reaction, new Set(users)]));

/* All entries of a conversation, as this client may see them. */
export async function whole_history(client, conversation) {
	const all = [];
	for (let after = 0; after !== null;) {
		const { messages, next } = await client.history(conversation, { after, limit: 200 });
		all.push(...messages);
		after = next;
	}
	return all;
}
