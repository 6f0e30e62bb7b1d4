/** device - a name for a device, from what its browser or program calls itself. */

// The first that fits: most browsers also name those that they want to be taken for.
const PROGRAMS = [[/\bEdg/, "Edge"], [/\bOPR\//, "Opera"], [/\bSamsungBrowser\//, "Samsung Internet"], [/\b(Firefox|FxiOS)\//, "Firefox"],
	[/\bHeadlessChrome\//, "Chrome"], [/\b(Chrome|CriOS)\//, "Chrome"], [/\bVersion\/.*Safari\//, "Safari"]];
const SYSTEMS = [[/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"], [/\bAndroid\b/, "Android"], [/\bCrOS\b/, "ChromeOS"],
	[/\bWindows\b/, "Windows"], [/\bMac ?OS\b/, "macOS"], [/\bLinux\b/, "Linux"]];

/** "Firefox on Linux", "curl", "Unknown device". */
export function deviceName(userAgent) {
	const text = userAgent ?? "";
	const find = (list) => list.find(([form]) => form.test(text))?.[1];
	const [program, system] = [find(PROGRAMS), find(SYSTEMS)];
	if (program && system) {
		return `${program} on ${system}`;
	}
	return program ?? system ?? (/^[^\s/()]+/.exec(text)?.[0] || "Unknown device");
}
