/** main - starts the page at `/`. */
import { element } from "../dom.js";

document.getElementById("app").append(element("main", {},
	element("h1", {}, "Parley"),
	element("p", {}, "Programs can use its ", element("a", { href: "/docs/" }, "API"), ".")));
