/** page - what both pages do: read their paper, fill the frame, go to the place of the address. */
import { element } from "../dom.js";
import { menu } from "./navigation.js";

/** The paper that the page names, or null: then the page says that it is not there. */
export async function readPaper(main) {
	menu(document.getElementById("menu"), document.getElementById("side"));
	try {
		const answer = await fetch(document.getElementById("paper").href);
		if (!answer.ok) {
			throw new Error(String(answer.status));
		}
		return await answer.json();
	} catch {
		main.replaceChildren(element("p", { role: "alert" }, "The paper could not be loaded. Try to reload the page."));
		return null;
	}
}

/** The parts did not exist yet when the browser looked for the place. */
export function goToPlace() {
	document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
	dispatchEvent(new Event("scroll"));
}
