/*
 * events - listeners by the name of an event.
 *
 * A listener that throws disturbs neither the SDK nor the other listeners: its error is thrown
 * again from a task of its own, where the host reports it.
 */
export class Events {
	#listeners = new Map();

	/* Returns a function that removes the listener. */
	on(name, listener) {
		const set = this.#listeners.get(name) || new Set();
		this.#listeners.set(name, set.add(listener));
		return () => set.delete(listener);
	}

	emit(name, value) {
		for (const listener of [...(this.#listeners.get(name) || [])]) {
			try {
				listener(value);
			} catch (error) {
				setTimeout(() => { throw error; });
			}
		}
	}
}
