/** sign-in - the form to sign in or to create an account. */
import { element, newId } from "../../dom.js";
import { alertIn } from "../parts/dialog.js";
import { plain } from "../parts/plain.js";

const ENDED = {
	ended: "Your session has ended. Sign in again; what you wrote and was not sent is kept.",
	another_user: "Somebody else has signed in in this browser.",
};

const REFUSED = {
	unauthorized: "The name or the password is wrong.",
	conflict: "This name is taken. Choose another one, or sign in.",
};

export function signInView(chat) {
	const name = element("input", { id: newId("name"), name: "username", type: "text", autocomplete: "username",
		autocapitalize: "none", spellcheck: "false", required: true, maxlength: "200" });
	const password = element("input", { id: newId("password"), name: "password", type: "password",
		autocomplete: "current-password", required: true });
	const buttons = [
		element("button", { type: "submit", class: "button primary" }, "Sign in"),
		element("button", { type: "button", class: "button", onclick: () => submit("register") }, "Create account"),
	];
	const form = element("form", { class: "sign-in-form", "aria-label": "Sign in", novalidate: true },
		field("Name", name), field("Password", password), element("div", { class: "dialog-actions" }, buttons));
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		submit("login");
	});
	let busy = false;

	async function submit(how) {
		if (busy) {
			return;
		}
		const missing = !name.value.trim() ? [name, "Enter your name."]
			: !password.value ? [password, "Enter your password."] : null;
		alertIn(form, missing?.[1] ?? null, missing?.[0]);
		if (missing) {
			return;
		}
		busy = true;
		form.setAttribute("aria-busy", "true");
		try {
			await chat.signIn(how, name.value.trim(), password.value);
		} catch (error) {
			alertIn(form, plain(error, REFUSED), error.status === 401 || error.code === "invalid" ? password : name);
		} finally {
			busy = false;
			form.removeAttribute("aria-busy");
		}
	}

	const node = element("main", { class: "sign-in" },
		element("div", { class: "sign-in-card" },
			element("h1", { class: "brand brand-large" }, "Parley"),
			element("p", { class: "soft" }, "Sign in to your conversations, or create an account."),
			ENDED[chat.ended] ? element("p", { class: "hint" }, ENDED[chat.ended]) : null,
			form,
			element("p", { class: "soft sign-in-foot" }, "For developers: ", element("a", { href: "docs/" }, "the API"))));
	return { node, focus: () => name.focus(), close() {} };
}

function field(label, input) {
	return element("div", { class: "field" }, element("label", { for: input.id }, label), input);
}
