import { bytes } from "./format.js";

// What to do about an error, by its code.
const ADVICE = {
	unauthorized: "Enter a valid token, or ask whoever invited you for a new one.",
	forbidden: "Ask whoever gave you the token for one that allows it.",
	not_found: "It may have been deleted meanwhile.",
	conflict: "Send the file again.",
	too_many: "Wait until something has ended, then try again.",
	gone: "It goes on in another window.",
	unavailable: "Try again in a moment.",
	internal: "Try again. If that does not help, tell whoever runs this server.",
	disconnected: "It goes on when the connection is back.",
	unreadable: "Choose the file again.",
};

/** advice says what can be done about a SluiceError or a problem. */
export function advice({ code, limit, slowed }) {
	if (slowed) return "Nothing is lost: it goes on as fast as it may.";
	if (code === "too_large") return limit ? `At most ${bytes(limit)} are taken here. Send a smaller file.` : "Send a smaller file.";
	return ADVICE[code] ?? "";
}

/** sentence makes one of a message: the server's begin in lower case and have no full stop. */
export function sentence({ message }) {
	const text = message.charAt(0).toUpperCase() + message.slice(1);
	return /[.?!]$/.test(text) ? text : `${text}.`;
}
