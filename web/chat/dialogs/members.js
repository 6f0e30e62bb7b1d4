/** members - the members of a group or channel, invitations, and what may be done with each member. */
import { element } from "../../dom.js";
import { avatar } from "../parts/avatar.js";
import { confirm, drawing } from "../parts/dialog.js";
import { attempt, formOf, Unfit } from "../parts/form.js";
import { menuButton } from "../parts/menu.js";
import { peopleField } from "./people-field.js";
import { presenceText } from "../parts/time.js";

const LIMIT = 50;
const DOTS = "M5 12h.01 M12 12h.01 M19 12h.01";
const ROLES = { owner: "Owner", admin: "Admin" };

/** {node, show(conversation), close()} */
export function membersView(chat, id, leave) {
	const heading = element("h3", {});
	const list = element("ul", { class: "results", "aria-label": "Members" });
	const more = element("button", { type: "button", class: "button", hidden: true, onclick: () => attempt(node, showMore) }, "More members");
	const said = element("p", { class: "unseen", "aria-live": "polite" });
	const invitation = invitationForm(chat, id, () => reload());
	const node = element("section", {}, heading, invitation, list, more, said);
	const rows = new Map();
	let role = "member";
	let next = null;
	let asked = 0;

	/** As many as there are shown, and one page at least. */
	async function load() {
		asked += 1;
		const mine = asked;
		const members = [];
		const wanted = Math.max(rows.size, LIMIT);
		let after = null;
		do {
			const page = await pageOf(after);
			members.push(...page.members);
			after = page.next;
		} while (after !== null && members.length < wanted);
		if (mine === asked) {
			next = after;
			showRows(members);
		}
	}

	const reload = () => attempt(node, load);

	async function showMore() {
		const page = await pageOf(next);
		next = page.next;
		showRows([...[...rows.values()].map((row) => row.member), ...page.members]);
		rows.get(page.members[0]?.user)?.node.querySelector("button")?.focus();
	}

	function pageOf(after) {
		return chat.client.request("GET", `/conversations/${id}/members?limit=${LIMIT}${after === null ? "" : `&after=${after}`}`);
	}

	function showRows(members) {
		const focused = [...rows.values()].find((row) => row.node.contains(document.activeElement));
		const kept = new Set(members.map(({ user }) => user));
		for (const [user, row] of rows) {
			if (!kept.has(user)) {
				row.node.remove();
				rows.delete(user);
			}
		}
		for (const member of members) {
			const row = rows.get(member.user) ?? memberRow(chat, member, actionsFor);
			row.member = member;
			rows.set(member.user, row);
			list.append(...row.node.isConnected ? [] : [row.node]);
		}
		[...rows.values()].sort((a, b) => a.member.user - b.member.user).forEach((row, at) => {
			if (list.children[at] !== row.node) {
				list.insertBefore(row.node, list.children[at]);
			}
		});
		if (focused && !focused.node.isConnected) {
			list.closest("dialog").focus();
		}
		chat.people.watch([...kept].filter((user) => user !== chat.user.id));
		more.hidden = next === null;
		rows.forEach((row) => row.show());
	}

	/** What the role of the user allows with a member. */
	function actionsFor({ user, role: theirs }) {
		const name = chat.people.name(user);
		const patch = (wanted) => attempt(node, async () => {
			await chat.client.request("PATCH", `/conversations/${id}/members/${user}`, { role: wanted });
			await load();
			said.textContent = `${name} is ${wanted === "member" ? "no admin any more" : wanted === "owner" ? "the owner now" : "an admin now"}.`;
		});
		const items = [{ label: "Message", action: () => {
			leave();
			chat.go(`/user/${user}`);
		} }];
		if (role === "owner") {
			items.push(theirs === "admin" ? { label: "Take admin role away", action: () => patch("member") }
				: { label: "Make admin", action: () => patch("admin") });
			items.push({ label: "Make owner", action: async () => {
				if (await confirm({ title: "Give the ownership away?", text: `${name} becomes the owner, and you become an admin.`, action: "Make owner" })) {
					patch("owner");
				}
			} });
		}
		if (role === "owner" || role === "admin" && theirs === "member") {
			items.push({ label: "Remove", danger: true, action: async () => {
				if (await confirm({ title: "Remove this member?", text: `${name} can no longer read or write here.`, action: "Remove" })) {
					attempt(node, async () => {
						await chat.client.request("DELETE", `/conversations/${id}/members/${user}`);
						await load();
						said.textContent = `${name} is removed.`;
					});
				}
			} });
		}
		return items;
	}

	const off = chat.client.on("member", ({ conversation }) => conversation === id && load().catch(() => {}));
	reload();
	return {
		node,
		show(conversation) {
			role = conversation.role;
			const text = `${conversation.members} ${conversation.members === 1 ? "member" : "members"}`;
			if (heading.textContent !== text) {
				heading.textContent = text;
			}
			invitation.hidden = role === "member";
			rows.forEach((row) => row.show());
		},
		close() {
			off();
			asked += 1;
		},
	};
}

function memberRow(chat, member, actionsFor) {
	const { user } = member;
	const own = user === chat.user.id;
	const name = element("bdi", { class: "result-name" });
	const display = element("bdi", { class: "note" });
	const badge = element("span", { class: "badge" });
	const presence = element("span", { class: "note" });
	const picture = element("span", {});
	const button = own ? null : menuButton(element("button", { type: "button", class: "icon" }, drawing(DOTS)), () => actionsFor(row.member));
	const row = {
		member,
		node: element("li", { class: "result" }, picture,
			element("div", { class: "result-text" }, element("div", { class: "result-head" }, name, display, badge), presence), button),
		show() {
			const person = chat.people.get(user);
			const text = chat.people.name(user);
			if (name.textContent !== text) {
				name.textContent = text;
				picture.replaceChildren(avatar(text, user));
				button?.setAttribute("aria-label", `Actions for ${text}`);
			}
			display.textContent = own ? "(you)" : person?.display_name ?? "";
			badge.textContent = ROLES[row.member.role] ?? "";
			badge.hidden = !badge.textContent;
			presence.textContent = own ? "" : presenceText(chat.people.presence(user)) ?? "";
		},
	};
	return row;
}

function invitationForm(chat, id, done) {
	const people = peopleField(chat, "Invite people", () => form);
	const form = formOf({
		async submit() {
			const users = await people.people().catch((error) => {
				throw new Unfit(error.sentence, people.input);
			});
			if (!users.length) {
				throw new Unfit("Enter the name of a person.", people.input);
			}
			const answer = await chat.client.request("POST", `/conversations/${id}/members`, { users });
			people.clear();
			people.input.focus();
			said.textContent = answer.users.length ? answer.users.length === 1 ? "1 person was invited." : `${answer.users.length} people were invited.`
				: "They are members already.";
			done();
		},
	}, people.node, element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "button" }, "Invite")));
	const said = element("p", { class: "note", "aria-live": "polite" });
	form.append(said);
	return form;
}
