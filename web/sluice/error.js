/**
 * SluiceError has one of the contract's codes, or one of those that arise in the browser: "disconnected",
 * "cancelled", "unreadable". Its message is meant for people.
 */
export class SluiceError extends Error {
	name = "SluiceError";

	constructor(code, message, limit) {
		super(message);
		this.code = code;
		this.limit = limit;
	}
}
