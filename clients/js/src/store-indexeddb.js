/*
 * store-indexeddb - a store that a browser keeps: see store.js.
 *
 * All tabs of an origin that use the same name share it. What it holds, the refresh token
 * among it, can be read by every script of the origin.
 */
const TABLE = 'values';

export class IndexedDBStore {
	#opened = null;

	constructor(name = 'parley') {
		this.name = name;
	}

	get(key) {
		return this.#run('readonly', table => table.get(key));
	}

	async set(key, value) {
		await this.#run('readwrite', table => table.put(value, key));
	}

	async delete(key) {
		await this.#run('readwrite', table => table.delete(key));
	}

	list(prefix) {
		return this.#run('readonly', table =>
			table.getAll(IDBKeyRange.bound(prefix, prefix + '\uffff')));
	}

	async clear() {
		await this.#run('readwrite', table => table.clear());
	}

	/* Lets go of the database, for example before it is deleted. The next call opens it again. */
	async close() {
		const opened = this.#opened;
		this.#opened = null;
		(await opened)?.close();
	}

	/* Resolves when the transaction is complete, with the result of the request. */
	async #run(mode, ask) {
		const database = await (this.#opened ||= this.#open());
		return new Promise((resolve, reject) => {
			const transaction = database.transaction(TABLE, mode);
			const request = ask(transaction.objectStore(TABLE));
			transaction.oncomplete = () => resolve(request.result);
			transaction.onerror = transaction.onabort = () => reject(transaction.error);
		});
	}

	#open() {
		return new Promise((resolve, reject) => {
			const request = indexedDB.open(this.name, 1);
			request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
			request.onsuccess = () => {
				const database = request.result;
				/* Another tab deletes the database, or the browser does. */
				database.onversionchange = () => this.close();
				database.onclose = () => { this.#opened = null; };
				resolve(database);
			};
			request.onerror = () => {
				this.#opened = null;
				reject(request.error);
			};
		});
	}
}
