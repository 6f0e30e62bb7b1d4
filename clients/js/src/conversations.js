/*
 * conversations - the user's conversations as GET /sync answers them, kept current by what is
 * shown. `changed` gets each conversation that has changed, or {id, gone: true}.
 */
export class Conversations {
	#by_id = new Map();

	constructor(changed) {
		this.changed = changed;
	}

	get(id) {
		return this.#by_id.get(id);
	}

	get ids() {
		return [...this.#by_id.keys()];
	}

	/* Latest activity first, as GET /conversations. */
	list() {
		const latest = conversation => conversation.last_message?.id || 0;
		return [...this.#by_id.values()].sort((a, b) => latest(b) - latest(a) || b.id - a.id);
	}

	/* What tells the conversation that a frame goes to from others: the other user, if it is direct. */
	lane_of({ user_to, conversation }) {
		const user = user_to ?? this.#by_id.get(conversation)?.with?.id;
		return user ? `user/${user}` : `conversation/${conversation}`;
	}

	/* The server's word. Numbers that only rise do not fall. */
	learn(conversation) {
		const known = this.#by_id.get(conversation.id);
		const merged = { ...conversation };
		for (const number of ['last_seq', 'read_seq', 'delivered_seq', 'revision'])
			merged[number] = Math.max(conversation[number], known?.[number] || 0);
		if (known && known.last_seq > conversation.last_seq)
			merged.last_message = known.last_message;
		this.#store(merged);
	}

	forget(id) {
		if (this.#by_id.delete(id))
			this.changed({ id, gone: true });
	}

	clear() {
		this.#by_id.clear();
	}

	/* An entry was shown. own: the user wrote it, and so has read all before it. */
	entry(entry, own) {
		const change = { last_seq: entry.seq, last_message: entry };
		if (own)
			change.read_seq = change.delivered_seq = entry.seq;
		const known = this.#by_id.get(entry.conversation);
		if (known && entry.seq > known.last_seq)
			this.#change(known, change);
	}

	/* An edit, deletion or reaction was shown. */
	change(frame) {
		const known = this.#by_id.get(frame.conversation);
		if (!known)
			return;
		const last_message = known.last_message && { ...known.last_message };
		if (last_message?.seq === frame.seq && frame.type === 'edit')
			Object.assign(last_message, { message: frame.message, edited_at: frame.created_at });
		if (last_message?.seq === frame.seq && frame.type === 'delete')
			Object.assign(last_message, { message: '', deleted_at: frame.created_at });
		this.#change(known, { revision: Math.max(known.revision, frame.revision), last_message });
	}

	/* How far the user has received and read: never beyond the last entry. */
	receipt(id, receipt) {
		const known = this.#by_id.get(id);
		const [delivered, read] = [receipt.delivered || 0, receipt.read || 0]
			.map(seq => Math.min(seq, known?.last_seq));
		if (known && (delivered > known.delivered_seq || read > known.read_seq))
			this.#change(known, {
				delivered_seq: Math.max(known.delivered_seq, delivered, read),
				read_seq: Math.max(known.read_seq, read),
			});
	}

	#change(known, members) {
		this.#store({ ...known, ...members });
	}

	#store(conversation) {
		conversation.unread = conversation.last_seq - conversation.read_seq;
		this.#by_id.set(conversation.id, conversation);
		this.changed(conversation);
	}
}
