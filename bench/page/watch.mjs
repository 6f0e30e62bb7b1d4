/**
 * watch - what runs within a measured page: it notes when the page has painted what somebody waits
 * for. A time is taken in the first task behind a frame, so after the page's part of that frame.
 *
 * The function goes into each new document, and knows nothing but its argument. `rows`: so many
 * messages in sight are an open conversation; `hang_ms`: the end of each wait. It holds on to the
 * names of the page's contract alone.
 */
export function watch({ rows, hang_ms }) {
	let clicked = null;
	addEventListener("click", ({ timeStamp }) => {
		clicked = timeStamp;
	}, true);

	const articles = () => [...document.querySelectorAll("[role=log] article")];

	function inSight(mark) {
		const frame = document.querySelector("[role=log]")?.getBoundingClientRect();
		return articles().filter((one) => {
			const { top, bottom } = one.getBoundingClientRect();
			return top < frame.bottom && bottom > frame.top && one.textContent.includes(mark);
		});
	}

	const isThere = (selector) => Boolean(document.querySelector(selector)?.clientHeight);
	const form = () => isThere("form[aria-label='Sign in'] input[autocomplete=username]");
	const box = () => isThere("[aria-label=Message]");
	const messages = (mark = "") => inSight(mark).length >= rows;
	/* Within a pixel of the lower edge, because heights are fractions. */
	const isLast = (mark) => {
		const last = inSight(mark).at(-1);
		return Boolean(last) && last === articles().at(-1) &&
			last.getBoundingClientRect().bottom <= document.querySelector("[role=log]").getBoundingClientRect().bottom + 1;
	};

	/* The time behind the first frame for which `look` is true. */
	const painted = (look) => new Promise((resolve, reject) => {
		const { port1, port2 } = new MessageChannel();
		const until = performance.now() + hang_ms;
		const next = () => requestAnimationFrame(() => port2.postMessage(null));
		port1.onmessage = () => {
			if (look()) {
				resolve(performance.now());
				port1.close();
			} else if (performance.now() > until) {
				reject(new Error(`never painted: ${look}`));
				port1.close();
			} else {
				next();
			}
		};
		next();
	});

	const first = { form: painted(form), box: painted(box), messages: painted(() => messages()) };
	Object.values(first).forEach((one) => one.catch(() => {})); // told to who waits

	window.bench = {
		/* Milliseconds since the navigation began. */
		first,
		/* Milliseconds from the next click until messages with this mark are painted. */
		async opened(mark) {
			clicked = null;
			return await painted(() => clicked !== null && messages(mark)) - clicked;
		},
		/* The newest message is the one with this mark, and in sight. */
		ends: (mark) => painted(() => isLast(mark)),
		isLast,
		/* The numbers of all rows of the window, which may be more than are in sight. */
		numbers: () => articles().map((one) => Number(one.textContent.match(/#(\d+) /)?.[1])),
		/* The times of all frames of so many milliseconds. */
		frames: (ms) => new Promise((resolve) => {
			const times = [];
			const next = (at) => {
				times.push(at);
				if (at - times[0] < ms) {
					requestAnimationFrame(next);
				} else {
					resolve(times);
				}
			};
			requestAnimationFrame(next);
		}),
	};
}
