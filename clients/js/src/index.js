/* The public names of @parley/client; index.d.ts describes them. */
export { Client } from './client.js';
export { ParleyError } from './errors.js';
export { cookie_tokens } from './session.js';
export { MemoryStore } from './store.js';
export { IndexedDBStore } from './store-indexeddb.js';
export { uuid7 } from './uuid.js';
