/**
 * topics - tells listeners that something has changed, once for all changes of a moment: before the
 * next frame of a page that is seen, and a little later in one that is not.
 */
const HIDDEN_MS = 200;

export class Topics {
	#listeners = new Map();
	#told = new Set();
	#planned = false;

	/** Calls `listener` after changes of `topic`; the result ends that. */
	on(topic, listener) {
		const listeners = this.#listeners.get(topic) ?? new Set();
		this.#listeners.set(topic, listeners.add(listener));
		return () => listeners.delete(listener);
	}

	tell(topic) {
		this.#told.add(topic);
		if (this.#planned) {
			return;
		}
		this.#planned = true;
		const flush = () => this.flush();
		if (globalThis.document?.visibilityState === "visible") {
			requestAnimationFrame(flush);
			// A window that is behind others may get no frames.
			setTimeout(flush, HIDDEN_MS);
		} else {
			setTimeout(flush, globalThis.document ? HIDDEN_MS : 0);
		}
	}

	/** Tells what has changed until now. */
	flush() {
		// What is shown of the conversation comes first: it may read what the list would count.
		const told = [...this.#told].sort((a, b) => (b === "timeline") - (a === "timeline"));
		this.#told = new Set();
		this.#planned = false;
		for (const topic of told) {
			for (const listener of [...this.#listeners.get(topic) ?? []]) {
				try {
					listener();
				} catch (error) {
					setTimeout(() => { throw error; });
				}
			}
		}
	}
}
