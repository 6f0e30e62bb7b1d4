/** tabs - a tab list and its panels; arrow keys choose. */
import { element, newId } from "../../dom.js";

/** `parts`: [{label, panel, shown?}]; the first is chosen. `shown` is called when its panel comes into sight. */
export function tabsOf(label, parts) {
	const tabs = parts.map(({ label: name, panel }) => {
		panel.id = newId("panel");
		return element("button", { type: "button", id: newId("tab"), role: "tab", class: "tab", "aria-controls": panel.id }, name);
	});
	const list = element("div", { role: "tablist", class: "tabs", "aria-label": label }, tabs);
	const panels = parts.map(({ panel }, at) => {
		panel.setAttribute("role", "tabpanel");
		panel.setAttribute("aria-labelledby", tabs[at].id);
		return panel;
	});

	function choose(chosen) {
		tabs.forEach((tab, at) => {
			tab.setAttribute("aria-selected", String(at === chosen));
			tab.tabIndex = at === chosen ? 0 : -1;
			panels[at].hidden = at !== chosen;
		});
		parts[chosen].shown?.();
	}

	tabs.forEach((tab, at) => tab.addEventListener("click", () => choose(at)));
	list.addEventListener("keydown", (event) => {
		const at = tabs.indexOf(document.activeElement);
		const forward = getComputedStyle(list).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
		const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
		const to = { [forward]: (at + 1) % tabs.length, [back]: at - 1, Home: 0, End: -1 }[event.key];
		if (at >= 0 && to !== undefined) {
			event.preventDefault();
			const tab = tabs.at(to);
			choose(tabs.indexOf(tab));
			tab.focus();
		}
	});
	choose(0);
	return [list, ...panels];
}
