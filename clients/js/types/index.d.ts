/*
 * @parley/client - chat with Parley. The members of frames and answers are those of
 * docs/protocol: times are RFC 3339 texts, ids and numbers are integers below 2^53.
 */

export interface User {
	id: number;
	name: string;
}

/** connecting: it tries, or waits for the next try. offline: it does not, or there is no network. */
export type Status = 'connected' | 'connecting' | 'offline';

/* --- entries of a conversation ---------------------------------------------------------- */
interface Placed {
	conversation: number;
	/** Rises by one with each entry of the conversation. */
	seq: number;
	user_from: number;
	uuid: string;
	created_at: string;
}

export interface Reaction {
	reaction: string;
	/** The first hundred. */
	users: number[];
	count: number;
}

/** A text; in its latest state where it comes from `history` or `revised`. */
export interface Message extends Placed {
	type: 'message';
	id: number;
	user_to?: number;
	/** Empty if the message is deleted. */
	message: string;
	reply_to?: number;
	revision?: number;
	edited_at?: string;
	deleted_at?: string;
	reactions?: Reaction[];
}

export type Role = 'member' | 'admin' | 'owner';

/** A change of a group or channel itself. */
export interface Member extends Placed {
	type: 'member';
	id: number;
	change: {
		what: 'created' | 'invited' | 'joined' | 'left' | 'removed' | 'role' | 'renamed' | 'history' | 'deleted';
		users?: number[];
		name?: string;
		role?: Role;
		owner?: number;
		history?: 'all' | 'joined';
	};
}

export type Entry = Message | Member;

/* --- changes of a message ----------------------------------------------------------------- */
interface Change extends Placed {
	/** Rises by one with each change in the conversation. */
	revision: number;
}
export interface Edit extends Change {
	type: 'edit';
	message: string;
}
export interface Deletion extends Change {
	type: 'delete';
}
export interface Reacted extends Change {
	type: 'reaction';
	reaction: string;
	remove: boolean;
}
/** A message that has changed while the client was away, in its latest state. */
export interface Revised extends Omit<Message, 'type'> {
	type: 'revised';
	revision: number;
}

/* --- other frames --------------------------------------------------------------------------- */
/** Of a message: with `id`. Of a change: with `revision`. */
export interface Saved {
	type: 'state';
	uuid: string;
	state: 'saved';
	id?: number;
	conversation: number;
	seq: number;
	revision?: number;
	created_at: string;
}
export interface Accepted {
	type: 'state';
	uuid: string;
	state: 'accepted';
}
export interface Refused {
	type: 'state' | 'error';
	uuid: string;
	state?: 'error';
	code: string;
	detail?: string;
	retryable: false;
}
export interface Receipt {
	type: 'receipt';
	conversation: number;
	user: number;
	delivered: number;
	read: number;
}
export interface Typing {
	type: 'typing';
	conversation: number;
	user: number;
}
export interface PresenceFrame {
	type: 'presence';
	users: { user: number; state: 'online' | 'offline'; last_seen?: string }[];
}
export interface Welcome {
	type: 'welcome';
	user: number;
	session: string;
	ping_interval_s: number;
}

export interface Conversation {
	id: number;
	kind: 'direct' | 'group' | 'channel';
	name: string | null;
	with: { id: number } | null;
	role: Role;
	members: number;
	history: 'all' | 'joined';
	last_seq: number;
	read_seq: number;
	delivered_seq: number;
	unread: number;
	revision: number;
	last_message: Entry | null;
}

/** Too much was missed: the entries between `after` and `before` (both excluded) come by `history` only. */
export interface Gap {
	conversation: number;
	after: number;
	before: number;
}

/* --- events ------------------------------------------------------------------------------------ */
export interface Events {
	status: Status;
	/** The session is over. `ended`: elsewhere; what waits in the outbox is kept for the same user. */
	signedout: { reason: 'ended' | 'signed_out' | 'another_user' };
	/** Entries: in the order of `seq`, each once. Not what this client has sent: see `state`. */
	message: Message;
	member: Member;
	/** Changes: in the order of `revision`, each once. */
	edit: Edit;
	delete: Deletion;
	reaction: Reacted;
	revised: Revised;
	/** What has become of something that this client has sent. */
	state: Saved | Accepted | Refused;
	/** `outbox()` lists more: what another tab or an earlier page has left behind. Other changes: `state`. */
	outbox: undefined;
	receipt: Receipt;
	typing: Typing;
	presence: PresenceFrame;
	welcome: Welcome;
	/** The list has changed. */
	conversation: Conversation | { id: number; gone: true };
	gap: Gap;
	/** What no promise tells: a refused receipt, typing or presence; a store that fails. */
	error: Error;
}

/* --- errors, stores ------------------------------------------------------------------------------ */
export class ParleyError extends Error {
	constructor(code: string, detail?: string,
		more?: { status?: number; retryable?: boolean; retry_after_ms?: number });
	readonly code: string;
	/** Of HTTP; 0 if the refusal did not come over REST. */
	readonly status: number;
	readonly retryable: boolean;
	readonly retry_after_ms?: number;
}

/** Values can be cloned (structuredClone). */
export interface Store {
	/** null, or equal in all tabs that share the store. */
	readonly name: string | null;
	get(key: string): Promise<any>;
	set(key: string, value: unknown): Promise<void>;
	delete(key: string): Promise<void>;
	/** The values whose keys begin with `prefix`, in any order. */
	list(prefix: string): Promise<any[]>;
	clear(): Promise<void>;
}
export class MemoryStore implements Store {
	readonly name: string | null;
	get(key: string): Promise<any>;
	set(key: string, value: unknown): Promise<void>;
	delete(key: string): Promise<void>;
	list(prefix: string): Promise<any[]>;
	clear(): Promise<void>;
}
/** A store that the browser keeps, shared by the tabs of the origin. */
export class IndexedDBStore implements Store {
	constructor(name?: string);
	readonly name: string;
	get(key: string): Promise<any>;
	set(key: string, value: unknown): Promise<void>;
	delete(key: string): Promise<void>;
	list(prefix: string): Promise<any[]>;
	clear(): Promise<void>;
	close(): Promise<void>;
}

/** A UUID of version 7; higher with each call. */
export function uuid7(): string;

/* --- the client ------------------------------------------------------------------------------------ */
export interface Credentials {
	name: string;
	password: string;
}

/** How the refresh token travels; the default is the JSON of the answers. */
export interface Tokens {
	/** For fetch, with each request that signs in, renews or may end the session. */
	options: RequestInit;
	/** The answer of a sign-in or refresh -> what the store keeps. */
	keep(answer: any): { user: User };
	/** What the store has kept -> the body of POST /auth/refresh. */
	body(kept: any): unknown;
	/** The refresh token is still there when the store is erased, as in a cookie. */
	outlives_store?: boolean;
}

/** For pages of Parley's own origin: the refresh token is in a cookie that no script can read. */
export const cookie_tokens: Tokens;

export interface Options {
	/** The address of the installation, such as `https://chat.example`; in a page also `/`. */
	url: string | URL;
	/** For hosts without one, such as Node before 22. */
	WebSocket?: new (url: string, protocols: string[]) => any;
	fetch?: typeof globalThis.fetch;
	/** Default: memory, which ends with the client. */
	store?: Store;
	tokens?: Tokens;
	/** Entries of one conversation that are fetched after an absence; beyond: event `gap`. Default 2,000. */
	missedMax?: number;
}

/** Where a message goes: to a user, or into a conversation. */
export type Target = { to: number; conversation?: undefined } | { conversation: number; to?: undefined };
export interface MessageRef {
	conversation: number;
	seq: number;
	/** Made by the SDK if absent. The same uuid again is the same change. */
	uuid?: string;
}

export interface Sent {
	uuid: string;
	/** Fails with a ParleyError if the server refuses for good. Need not be looked at. */
	saved: Promise<Saved>;
}

export interface Waiting {
	uuid: string;
	state: 'waiting' | 'failed';
	/** As it is sent: the frames of docs/protocol/socket.md. */
	frame: { uuid: string; message?: string; user_to?: number; conversation?: number; reply_to?: number;
		type?: 'edit' | 'delete' | 'react'; seq?: number; reaction?: string; remove?: true };
	error?: { code: string; detail?: string };
}

export class Client {
	constructor(options: Options);

	/** null until a sign-in, or `restore` has found one in the store. */
	readonly user: User | null;
	readonly status: Status;

	register(name: string, password: string): Promise<User>;
	register(credentials: Credentials): Promise<User>;
	login(name: string, password: string): Promise<User>;
	login(credentials: Credentials): Promise<User>;
	/** Any call that answers SignedIn, such as `/auth/phone/verify`. */
	signIn(path: string, body: unknown): Promise<User>;
	/** The user whose session the store has, or null. Asks nobody. */
	restore(): Promise<User | null>;
	/**
	 * Ends the session, here and at the server. If the server cannot be told, all is erased here, and it fails.
	 * With `cookie_tokens` the store then remembers that, and the server is told as soon as it can be.
	 */
	logout(): Promise<void>;

	/** Resolves when connected. From then on a lost connection is opened again, until close() or signedout. */
	connect(): Promise<void>;
	/** Leaves the session and what waits in the store. connect() begins again. */
	close(): Promise<void>;

	/** Kept in the store and sent under its uuid until it is saved or refused for good. */
	send(message: Target & { text: string; replyTo?: number; uuid?: string }): Sent;
	edit(change: MessageRef & { text: string }): Sent;
	delete(change: MessageRef): Sent;
	react(change: MessageRef & { reaction: string; remove?: boolean }): Sent;
	/** What is not saved, in the order of writing. */
	outbox(): Waiting[];
	/** Sends a failed message again. */
	retry(uuid: string): void;
	/** Drops a failed message. */
	discard(uuid: string): void;

	/** The user has seen everything up to `seq`. What was received is reported without a call. */
	read(conversation: number, seq: number): void;
	read(place: { conversation: number; seq: number }): void;
	/** The user types; may be called for each key. */
	typing(conversation: number): void;
	typing(place: { conversation: number }): void;
	/** Watches these users as well, at most 500; an empty list ends all watching. */
	presence(users: number[]): void;

	/** Latest activity first. */
	conversations(): Promise<Conversation[]>;
	/** A page, ascending by `seq`: above `after`, or below `before`; the newest if neither is given. */
	history(conversation: number, page?: { before?: number; after?: number; limit?: number }):
		Promise<{ messages: Entry[]; next: number | null }>;
	/** Any call of docs/protocol/rest.md with the token of the user; null for an empty answer. */
	request(method: string, path: string, body?: unknown): Promise<any>;

	on<Name extends keyof Events>(event: Name, listener: (value: Events[Name]) => void): () => void;
}
