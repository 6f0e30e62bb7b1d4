/** profile - the dialogs of the own profile, the password, and the end of the account. */
import { element } from "../../dom.js";
import { avatar } from "../parts/avatar.js";
import { openDialog, tell } from "../parts/dialog.js";
import { attempt, field, formOf, textInput, Unfit } from "../parts/form.js";

export function openProfile(chat) {
	const body = element("div", { class: "loaded" }, element("p", { class: "note" }, "Loading…"));
	const dialog = openDialog({ title: "Profile", className: "profile", content: body });
	load();
	return dialog;

	async function load() {
		let profile;
		const good = await attempt(body, async () => {
			profile = await chat.client.request("GET", "/auth/profile");
		});
		if (good) {
			const parts = profileParts(chat, profile, () => dialog.close());
			body.replaceChildren(...parts);
			if (document.activeElement === dialog.node) {
				body.querySelector("input").focus();
			}
		} else {
			const again = element("button", { type: "button", class: "button", onclick: load }, "Try again");
			body.replaceChildren(body.querySelector("[role=alert]"), element("div", { class: "dialog-actions" }, again));
		}
	}
}

function profileParts(chat, profile, close) {
	const shown = textInput({ autocomplete: "nickname", autocapitalize: "words", maxlength: "200" });
	const about = element("textarea", { rows: "3", dir: "auto" });
	shown.value = profile.display_name ?? "";
	about.value = profile.about ?? "";
	const form = formOf({
		words: { conflict: "Your profile has just been changed elsewhere. Try again." },
		async submit() {
			const wanted = { display_name: shown.value.trim() || null, about: about.value.trim() || null };
			const change = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== (profile[name] || null)));
			if (Object.keys(change).length) {
				await asField(({ status, message }) => status === 422 && (message.startsWith("about") ? about : shown), async () =>
					chat.people.update(await chat.client.request("PATCH", "/auth/profile", change)));
			}
			close();
		},
	}, field("Display name", shown, "Shown beside your name."), field("About", about),
	element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button primary" }, "Save")));
	return [
		element("div", { class: "person-head" }, avatar(profile.name, profile.id, "avatar-large"),
			element("div", {}, element("bdi", { class: "person-name" }, profile.name),
				element("p", { class: "note" }, profile.phone ?? "You sign in with this name."))),
		form,
		element("div", { class: "dialog-more" },
			element("button", { type: "button", class: "button", onclick: () => openPassword(chat) }, "Change password"),
			element("button", { type: "button", class: "button danger", onclick: () => openDeletion(chat) }, "Delete account")),
	];
}

// --- the password, the end ------------------------------------------------------------
function passwordInput(kind) {
	return element("input", { type: "password", autocomplete: kind, required: true });
}

/** For password managers: whose password this is. */
function userField(chat) {
	return element("input", { type: "text", autocomplete: "username", value: chat.user.name, readonly: true, hidden: true });
}

function openPassword(chat) {
	const [old, fresh] = [passwordInput("current-password"), passwordInput("new-password")];
	old.setAttribute("autofocus", "");
	const dialog = openDialog({
		title: "Change password", className: "dialog-small",
		content: formOf({
			async submit() {
				filled(old, "Enter your current password.");
				filled(fresh, "Enter a new password.");
				await asField(({ status }) => ({ 403: old, 422: fresh })[status], () => chat.client.request("POST", "/auth/password",
					{ old_password: old.value, new_password: fresh.value }));
				dialog.close();
				tell({ title: "Password changed", text: "All your other devices are signed out." });
			},
			words: { not_allowed: "The current password is wrong." },
		}, userField(chat), field("Current password", old), field("New password", fresh, "8 characters or more."),
		element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button primary" }, "Change password"))),
	});
}

function openDeletion(chat) {
	const password = passwordInput("current-password");
	password.setAttribute("autofocus", "");
	openDialog({
		title: "Delete account", className: "dialog-small",
		content: formOf({
			async submit() {
				filled(password, "Enter your password.");
				await asField(({ status }) => status === 403 && password, () => chat.client.request("POST", "/auth/account/delete", { password: password.value }));
				// The session is over already; this erases what the browser has.
				await chat.signOut();
			},
			words: { not_allowed: "The password is wrong." },
		}, element("p", {}, "Your profile is erased and you leave all groups and channels. Messages that you have sent stay. This cannot be undone."),
		userField(chat), field("Password", password),
		element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button danger" }, "Delete account"))),
	});
}

/** White space is part of a password. */
function filled(input, text) {
	if (!input.value) {
		throw new Unfit(text, input);
	}
}

/** Adds to the error of a call the field whose fault it is. */
async function asField(fieldOf, call) {
	try {
		await call();
	} catch (error) {
		throw Object.assign(error, { field: fieldOf(error) || undefined });
	}
}
