/** account - the button of the signed-in user, its menu, and the settings of notifications. */
import { element } from "../../dom.js";
import { avatar } from "../parts/avatar.js";
import { openDevices } from "./devices.js";
import { tell } from "../parts/dialog.js";
import { menuButton } from "../parts/menu.js";
import { openProfile } from "./profile.js";
import { signOut } from "./sign-out.js";

const SETTING = "parley.notify";

export function accountButton(chat) {
	const { id, name } = chat.user;
	const button = element("button", { type: "button", class: "icon account", "aria-label": "Account", title: name }, avatar(name, id));
	return menuButton(button, () => [
		{ label: "Profile", action: () => openProfile(chat) },
		{ label: "Devices", action: () => openDevices(chat) },
		{ label: "Notifications", checked: notifies(), action: () => switchNotifications() },
		{ label: "Sign out", action: () => signOut(chat) },
	]);
}

// --- notifications -----------------------------------------------------------------
function notifies() {
	return globalThis.Notification?.permission === "granted" && setting() === "on";
}

function setting() {
	try {
		return localStorage.getItem(SETTING);
	} catch {
		return null;
	}
}

/** The browser is asked for its permission here only, after a click. */
async function switchNotifications() {
	const on = !notifies();
	if (on && await permission() !== "granted") {
		tell({ title: "Notifications are off", text: REFUSED[globalThis.Notification ? Notification.permission : "none"] });
		return;
	}
	try {
		localStorage.setItem(SETTING, on ? "on" : "off");
	} catch {
		tell({ title: "Notifications are off", text: "This browser does not keep the setting: its storage is switched off." });
	}
}

const REFUSED = {
	none: "This browser has no notifications for pages.",
	denied: "This browser does not allow notifications from this page. You can allow them in the settings of the browser for this page.",
	default: "The browser has asked, and got no answer. Choose Notifications again, and allow them.",
};

async function permission() {
	return globalThis.Notification ? Notification.requestPermission() : "none";
}
