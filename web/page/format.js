// How amounts and moments are written. Three digits each, so that lines keep their width while numbers run.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** bytes writes 48211934 as "48.2 MB". */
export function bytes(n) {
	let unit = 0;
	while (n >= 999.5 && unit < UNITS.length - 1) {
		n /= 1000;
		unit++;
	}
	const digits = unit === 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
	return `${n.toFixed(digits)} ${UNITS[unit]}`;
}

/** duration writes seconds as "4 s", "2 min" or "3 h". */
export function duration(seconds) {
	if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`;
	if (seconds < 99.5 * 60) return `${Math.round(seconds / 60)} min`;
	return `${Math.round(seconds / 3600)} h`;
}

/** amount writes how far something is: "12.1 of 48.2 MB, 25 %, 8.10 MB/s, 5 s left". */
export function amount(done, size, rate) {
	const parts = size === undefined ? [bytes(done)] : [`${bytes(done)} of ${bytes(size)}`, `${percent(done, size)} %`];
	if (rate > 0) parts.push(`${bytes(rate)}/s`);
	if (rate > 0 && size > done) parts.push(`${duration((size - done) / rate)} left`);
	return parts.join(" · ");
}

// What is not all there is never 100 %.
function percent(done, size) {
	return done >= size ? 100 : Math.floor((100 * done) / size);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** moment writes the time of a day, and on which one if it is not today. */
export function moment(date) {
	const today = date.toDateString() === new Date().toDateString();
	return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** exact writes a moment with everything. */
export function exact(date) {
	return whole.format(date);
}

// Letters and digits that are not mistaken for each other, 31 of them.
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** code makes up the name of a room that nobody guesses: three times three letters, 44 bits. */
export function code() {
	const letters = Array.from({ length: 9 }, letter).join("");
	return letters.replace(/(...)(?=.)/g, "$1-");
}

function letter() {
	const [n] = crypto.getRandomValues(new Uint8Array(1));
	return n < 248 ? LETTERS[n % 31] : letter(); // 248 is 8 times 31: all are equally likely
}
