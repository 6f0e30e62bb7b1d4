/**
 * keyed - keeps the children of an element equal to a list, and each child itself as long as its
 * key is in the list: so focus, selection and scroll position survive.
 */
export class Keyed {
	#rows = new Map();

	/* make: item -> {node, update(item)}; update is called at once, and for each later list. */
	constructor(container, make) {
		Object.assign(this, { container, make });
	}

	get(key) {
		return this.#rows.get(key);
	}

	/** items: [{key, …}] */
	show(items) {
		const wanted = new Set(items.map(({ key }) => key));
		for (const [key, { node }] of this.#rows) {
			if (!wanted.has(key)) {
				node.remove();
				this.#rows.delete(key);
			}
		}
		let next = this.container.firstChild;
		for (const item of items) {
			let row = this.#rows.get(item.key);
			if (!row) {
				row = this.make(item);
				this.#rows.set(item.key, row);
			}
			row.update(item);
			if (row.node === next) {
				next = next.nextSibling;
			} else {
				place(this.container, row.node, next);
			}
		}
	}
}

/* A moved element loses the focus, where the browser cannot move it as it is. */
function place(container, node, next) {
	if (node.isConnected && container.moveBefore) {
		container.moveBefore(node, next);
		return;
	}
	const focused = node.contains(document.activeElement) ? document.activeElement : null;
	container.insertBefore(node, next);
	focused?.focus({ preventScroll: true });
}
