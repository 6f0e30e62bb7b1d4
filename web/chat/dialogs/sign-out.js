/** sign-out - ends the session of this device. */
import { confirm } from "../parts/dialog.js";

/** Asks first if messages would be lost. */
export async function signOut(chat) {
	const waiting = chat.client.outbox().length;
	const what = waiting === 1 ? "A message has not been sent yet. It is" : `${waiting} messages have not been sent yet. They are`;
	if (!waiting || await confirm({ title: "Sign out now?", text: `${what} lost when you sign out.`, action: "Sign out" })) {
		await chat.signOut();
	}
}
