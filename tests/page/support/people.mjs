/**
 * people - users of the running services who have no page: they register, call, write and listen
 * over REST and the socket.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { Client, uuid7 } from "../../../clients/js/src/index.js";
import { HANG_MS, ORIGIN } from "./browser.mjs";

export const PASSWORD = "correct horse 1";
// A gateway takes 256 messages of one socket that are not settled.
const WINDOW = 200;

export const newName = (kind = "person") => `${kind}-${randomBytes(5).toString("hex")}`;

/** The first value of `condition` that is not falsy; its errors count as falsy. */
export async function until(what, condition) {
	let trouble;
	for (const began = Date.now(); Date.now() - began < HANG_MS;) {
		try {
			const value = await condition();
			if (value) {
				return value;
			}
			trouble = undefined;
		} catch (error) {
			trouble = error;
		}
		await new Promise((resolve) => { setTimeout(resolve, 25); });
	}
	throw new assert.AssertionError({ message: `it did not come to this: ${what}${trouble ? `\n${trouble.stack}` : ""}` });
}

export class Person {
	#client = null;
	#events = [];

	static async register(name = newName()) {
		const person = new Person();
		person.name = name;
		const { user, token } = await person.call("POST", "/auth/register", { name, password: PASSWORD });
		Object.assign(person, { id: user.id, token });
		return person;
	}

	/** The body of the answer; a refusal is an error with `status`. */
	async call(method, path, body) {
		const answer = await fetch(ORIGIN + path, {
			method,
			headers: { ...(body && { "Content-Type": "application/json" }), ...(this.token && { Authorization: `Bearer ${this.token}` }) },
			body: body && JSON.stringify(body),
		});
		const text = await answer.text();
		if (!answer.ok) {
			throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${text}`), { status: answer.status });
		}
		return text ? JSON.parse(text) : null;
	}

	/** Another session of the same user. */
	async device() {
		const other = Object.assign(new Person(), { id: this.id, name: this.name });
		other.token = (await other.call("POST", "/auth/login", { name: this.name, password: PASSWORD })).token;
		return other;
	}

	/** The SDK's client, connected; `events` is what it has told. */
	async client() {
		if (!this.#client) {
			this.#client = new Client({ url: ORIGIN });
			for (const name of ["message", "member", "edit", "delete", "reaction", "receipt", "typing", "presence"]) {
				this.#client.on(name, (value) => this.#events.push({ ...value, event: name }));
			}
			await this.#client.login(this.name, PASSWORD);
			await this.#client.connect();
		}
		return this.#client;
	}

	/** Those that have this name and fit. */
	heard(name, fits = () => true) {
		return this.#events.filter((one) => one.event === name && fits(one));
	}

	/** Resolves to the `state` frame when it is saved. `to`: a Person, or the id of a conversation. */
	async says(to, text, more = {}) {
		const client = await this.client();
		return client.send({ ...(to.id ? { to: to.id } : { conversation: to }), text, ...more }).saved;
	}

	async reads(conversation, seq) {
		(await this.client()).read(conversation, seq);
	}

	/**
	 * Writes many texts quickly, in their order. Resolves to the `state` frames. What the SDK does
	 * for a person, one at a time, would take minutes for ten thousand.
	 */
	async plant(to, texts) {
		const socket = new WebSocket(`${ORIGIN.replace("http", "ws")}/ws`, ["parley", `bearer.${this.token}`]);
		const places = new Map();
		const saved = new Array(texts.length);
		let sent = 0;
		await new Promise((resolve, reject) => {
			const push = () => {
				while (sent < texts.length && places.size < WINDOW) {
					const uuid = uuid7();
					places.set(uuid, sent);
					const target = to.id ? { user_to: to.id } : { conversation: to };
					socket.send(JSON.stringify({ uuid, message: texts[sent], ...target }));
					sent += 1;
				}
			};
			socket.onerror = () => reject(new Error("the socket failed"));
			socket.onclose = (event) => reject(new Error(`the socket closed with ${event.code}`));
			socket.onmessage = ({ data }) => {
				const frame = JSON.parse(data);
				if (frame.type === "welcome") {
					push();
				} else if (frame.state === "saved" && places.has(frame.uuid)) {
					saved[places.get(frame.uuid)] = frame;
					places.delete(frame.uuid);
					push();
				} else if (frame.state === "error" || frame.type === "error") {
					reject(new Error(data)); // sent again it would come behind the others
				}
				if (sent === texts.length && places.size === 0) {
					resolve();
				}
			};
		});
		socket.onclose = null;
		socket.close();
		return saved;
	}

	/** A group or channel that this person owns; resolves to its id. */
	async makes(kind, name, ...members) {
		return (await this.call("POST", "/conversations", { kind, name, users: members.map((one) => one.id) })).id;
	}

	async history(conversation) {
		const all = [];
		for (let after = 0; after !== null;) {
			const page = await this.call("GET", `/conversations/${conversation}/messages?after=${after}&limit=200`);
			all.push(...page.messages);
			after = page.next;
		}
		return all;
	}

	async leaves() {
		await this.#client?.close();
		this.#client = null;
	}
}
