/**
 * drafts - what the user has typed and not sent, for each conversation. It is kept at each key, so
 * that no reload loses it; all tabs of the user have the same.
 */
const PREFIX = "parley.draft.";

export class Drafts {
	/* storage: a Storage, such as localStorage; null if the browser has none. */
	constructor(storage) {
		this.storage = storage;
	}

	get(user, conversation) {
		try {
			return this.storage?.getItem(key(user, conversation)) ?? "";
		} catch {
			return "";
		}
	}

	/** Returns whether it is kept: a storage may be full, or refuse. */
	set(user, conversation, text) {
		try {
			if (text) {
				this.storage.setItem(key(user, conversation), text);
			} else {
				this.storage.removeItem(key(user, conversation));
			}
			return true;
		} catch {
			return false;
		}
	}

	/** Erases all drafts but those of this user. */
	keepOnly(user) {
		try {
			for (const name of Object.keys(this.storage)) {
				if (name.startsWith(PREFIX) && !(user && name.startsWith(`${PREFIX}${user}.`))) {
					this.storage.removeItem(name);
				}
			}
		} catch {
			// Without a storage there is nothing to erase.
		}
	}
}

const key = (user, conversation) => `${PREFIX}${user}.${conversation}`;
