/*
 * timeline - numbered things of one conversation, in order and each once.
 *
 * A conversation has two such numbers: `seq` of its entries and `revision` of their changes.
 * What arrives early is held until all lower numbers have arrived, or are known not to come.
 */
export class Timeline {
	#held = new Map();
	/* The highest number that is known to exist. */
	#known;

	/* shown: the number up to which all was shown before. */
	constructor(shown) {
		this.shown = this.#known = shown;
	}

	/*
	 * thing: null if it has its number and is not to be shown. The first one of a number counts, or
	 * else this one if its number may be taken `again`.
	 */
	put(number, thing, again) {
		this.expect(number);
		if (number > this.shown && (again || !this.#held.has(number)))
			this.#held.set(number, thing);
	}

	/* Something with this number exists. */
	expect(number) {
		this.#known = Math.max(this.#known, number);
	}

	/* Removes and returns what is to be shown now. */
	take() {
		const taken = [];
		for (; this.#held.has(this.shown + 1); this.shown++)
			this.#remove(this.shown + 1, taken);
		return taken;
	}

	/* Returns what is held up to this number, and no longer waits for the rest. */
	skip(number) {
		const taken = [];
		const below = [...this.#held.keys()].filter(held => held <= number);
		for (const held of below.sort((a, b) => a - b))
			this.#remove(held, taken);
		this.shown = Math.max(this.shown, number);
		this.expect(number);
		return taken;
	}

	#remove(number, taken) {
		const thing = this.#held.get(number);
		this.#held.delete(number);
		if (thing !== null)
			taken.push(thing);
	}

	get held() {
		return this.#held.size;
	}

	/* The number up to which something is missing (after take()); 0 if nothing is. */
	get missing_to() {
		if (this.#held.size)
			return Math.min(...this.#held.keys()) - 1;
		return this.#known > this.shown ? this.#known : 0;
	}
}
