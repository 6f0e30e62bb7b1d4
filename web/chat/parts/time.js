/** time - times as people read them, in the language and zone of the browser. */
const format = (options) => {
	const made = new Intl.DateTimeFormat(undefined, options);
	return (time) => made.format(time);
};
const clock = format({ hour: "2-digit", minute: "2-digit" });
const dayOfYear = format({ day: "numeric", month: "short" });
const longDay = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const shortDate = format({ dateStyle: "short" });
const whole = format({ dateStyle: "full", timeStyle: "short" });

const sameDay = (a, b) => a.toDateString() === b.toDateString();

/** "10:03" */
export const clockOf = (text) => clock(new Date(text));

/** A key of the day. */
export const dayOf = (text) => new Date(text).toDateString();

/** The day in words. */
export const dayName = (text) => longDay(new Date(text));

/** With the date, for those who ask. */
export const wholeOf = (text) => whole(new Date(text));

/** For a list: the clock of today, else the date. */
export function shortOf(text) {
	const [time, now] = [new Date(text), new Date()];
	if (sameDay(time, now)) {
		return clock(time);
	}
	return time.getFullYear() === now.getFullYear() ? dayOfYear(time) : shortDate(time);
}

/** "Last seen 10:03", or null if it is not known. */
export function presenceText(presence) {
	if (presence?.state === "online") {
		return "Online";
	}
	return presence?.last_seen ? `Last seen ${shortOf(presence.last_seen)}` : null;
}
