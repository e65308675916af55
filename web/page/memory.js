// What this browser remembers: our name, the token of a room for as long as the tab lives, which streams are ours, and
// the keys of uploads that have not ended, so that choosing a file again goes on where it stopped. A browser may keep
// nothing, as in private windows: then all of it lasts as long as the page.

const MAX_MINE = 500;

const KEYS = "sluice.keys";
const MINE = "sluice.mine";
const NAME = "sluice.name";

function read(storage, key, otherwise) {
	try {
		return JSON.parse(storage().getItem(key)) ?? otherwise;
	} catch {
		return otherwise;
	}
}

function write(storage, key, value) {
	try {
		storage().setItem(key, JSON.stringify(value));
	} catch {
		// It is full, or not allowed: see above.
	}
}

const local = () => localStorage;
const session = () => sessionStorage;

export const ownName = () => read(local, NAME, "");
export const rememberName = (name) => write(local, NAME, name);

export const tokenFor = (room) => read(session, `sluice.token.${room}`, "");
export const rememberToken = (room, token) => write(session, `sluice.token.${room}`, token);

const mine = new Set(read(local, MINE, []));

export const isMine = (id) => mine.has(id);

export function rememberMine(id) {
	mine.add(id);
	write(local, MINE, [...mine].slice(-MAX_MINE));
}

/** keyFor returns the key under which this file was being sent to this room, or a new one. */
export function keyFor(room, file) {
	const keys = read(local, KEYS, {});
	const key = keys[fingerprint(room, file)] ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
	write(local, KEYS, { ...keys, [fingerprint(room, file)]: key });
	return key;
}

/** forgetKey is for what has ended: sent again it is another stream. */
export function forgetKey(room, file) {
	const { [fingerprint(room, file)]: _, ...keys } = read(local, KEYS, {});
	write(local, KEYS, keys);
}

function fingerprint(room, { name, size, lastModified }) {
	return JSON.stringify([room, name, size, lastModified]);
}
