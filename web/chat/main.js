/** main - starts the chat page: the SDK, the state, the view. */
import { Client, IndexedDBStore, cookie_tokens } from "../sdk/index.js";
import { Chat } from "./store/chat.js";
import { app } from "./view/app.js";
import { Notifier } from "./view/notifier.js";

const store = new IndexedDBStore();
const client = new Client({ url: "/", store, tokens: cookie_tokens });
const isSeen = () => document.visibilityState === "visible" && document.hasFocus();
const place = {
	get: () => location.hash.slice(1),
	set(address, { replace = false } = {}) {
		if (replace) {
			history.replaceState(null, "", `#${address}`);
		} else {
			location.hash = address;
		}
	},
};
const notifier = new Notifier();
const chat = new Chat({ client, store, storage: localStorage, place, isSeen, arrived: (entry) => notifier.arrived(entry) });
notifier.attach(chat, isSeen);
addEventListener("hashchange", () => chat.moved());
const view = app(document.getElementById("app"), chat, { isSeen, shows: (name) => notifier.shows(name) });
try {
	await chat.begin();
	view.render();
} catch (error) {
	// A browser may refuse to keep anything, for example in a private window.
	view.fail(`Parley cannot start in this window: ${error.message}`);
}
