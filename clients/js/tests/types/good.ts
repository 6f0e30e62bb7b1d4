// What an application writes: all of it must compile under --strict.
import { Client, cookie_tokens, IndexedDBStore, MemoryStore, ParleyError, uuid7 } from '@parley/client';
import type { Conversation, Entry, Message, Sent, Status, Store, User } from '@parley/client';

class MapStore implements Store {
	readonly name = null;
	private readonly values = new Map<string, unknown>();
	async get(key: string) { return this.values.get(key); }
	async set(key: string, value: unknown) { this.values.set(key, value); }
	async delete(key: string) { this.values.delete(key); }
	async list(prefix: string) {
		return [...this.values].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value);
	}
	async clear() { this.values.clear(); }
}

const stores: Store[] = [new MemoryStore(), new IndexedDBStore('chat'), new MapStore()];
const client = new Client({ url: new URL('https://chat.example'), WebSocket, store: stores[0]!, missedMax: 10 });
export const page = new Client({ url: '/', tokens: cookie_tokens });

export async function chat(): Promise<string> {
	const me: User = await client.login('alice', 'correct horse 1');
	await client.register({ name: 'alice', password: 'correct horse 1' });
	const restored: User | null = await client.restore();
	await client.connect();
	const status: Status = client.status;

	const sent: Sent = client.send({ to: 2, text: 'hi', replyTo: 1, uuid: uuid7() });
	const { conversation, seq, created_at } = await sent.saved;
	client.send({ conversation, text: 'hi all' });
	client.edit({ conversation, seq, text: 'hi!' });
	client.react({ conversation, seq, reaction: '👍', remove: true });
	client.delete({ conversation, seq });
	client.read(conversation, seq);
	client.read({ conversation, seq });
	client.typing(conversation);
	client.presence([2, 3]);

	const list: Conversation[] = await client.conversations();
	const { messages, next } = await client.history(list[0]!.id, { before: 40, limit: 20 });
	const texts = messages.map((entry: Entry) => entry.type === 'message' ? entry.message : entry.change.what);
	const older = next === null ? [] : (await client.history(conversation, { before: next })).messages;
	for (const { uuid, state, error } of client.outbox())
		state === 'failed' && error?.code === 'unknown_user' ? client.discard(uuid) : client.retry(uuid);

	const off: () => void = client.on('message', (message: Message) => message.message.length);
	client.on('status', now => now === 'offline');
	client.on('state', frame => frame.state === 'saved' ? frame.seq : frame.state);
	client.on('conversation', it => 'gone' in it ? it.id : it.unread);
	client.on('error', error => error instanceof ParleyError && error.retryable && error.status === 503);
	client.on('outbox', () => client.outbox().length);
	client.on('signedout', ({ reason }) => reason === 'ended');
	off();
	const profile = await client.request('PATCH', '/auth/profile', { about: null });
	await client.logout();
	await client.close();
	return `${me.name} ${restored?.id} ${status} ${created_at} ${texts.join()} ${older.length} ${profile.about}`;
}
