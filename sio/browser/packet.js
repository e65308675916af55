import { Emitter } from "./emitter.js";

// A frame is what a transport carries: a string that begins with the digit of its Engine.IO type, or a binary
// message (ArrayBuffer, view, Blob), which has none. All transports take and give frames.

export const Frame = { OPEN: "0", CLOSE: "1", PING: "2", PONG: "3", MESSAGE: "4", UPGRADE: "5", NOOP: "6" };

const FRAME_NAMES = Object.keys(Frame).map((name) => name.toLowerCase());

/** describe takes a frame apart as listeners to all of an engine's packets like it. */
export function describe(frame) {
	if (typeof frame !== "string") return { type: "message", data: frame };
	return { type: FRAME_NAMES[frame[0]], data: frame.slice(1) };
}

/** Type is a Socket.IO packet's. On the wire, and only there, one with attachments has BINARY added. */
export const Type = { CONNECT: 0, DISCONNECT: 1, EVENT: 2, ACK: 3, CONNECT_ERROR: 4 };

const BINARY = 3;

// The most attachments one packet may bring, as in the stock clients.
const MAX_ATTACHMENTS = 10;

/** RESERVED are the names of events that mean something on this side. */
export const RESERVED = new Set(["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]);

/** isBlob is whether value is a Blob or File, whose bytes are elsewhere until they are asked for. */
export function isBlob(value) {
	return typeof Blob !== "undefined" && value instanceof Blob;
}

function isBinary(value) {
	return value instanceof ArrayBuffer || ArrayBuffer.isView(value) || isBlob(value);
}

/** Encoder is the standard one: encode returns a packet's messages, its text and then its attachments. */
export class Encoder {
	encode({ type, nsp, id = "", data }) {
		const attachments = [];
		// value has been through toJSON already (Node's Buffer has one); its holder still has the original.
		const json = JSON.stringify(data, function (key, value) {
			const original = this[key];
			if (!isBinary(original)) return value;
			return { _placeholder: true, num: attachments.push(original) - 1 };
		});
		const digit = attachments.length ? `${type + BINARY}${attachments.length}-` : type;
		const namespace = nsp === "/" ? "" : `${nsp},`;
		return [`${digit}${namespace}${id}${json ?? ""}`, ...attachments];
	}
}

/** Decoder is the standard one. It takes messages and fires decoded with a packet when all of it is there. */
export class Decoder extends Emitter {
	#packet; // one that waits for its attachments
	#attachments;

	add(message) {
		if (typeof message === "string") {
			if (this.#packet) throw new Error("text came instead of an attachment");
			this.#packet = decodeText(message);
			this.#attachments = [];
		} else {
			if (!this.#packet) throw new Error("an attachment came without its text");
			this.#attachments.push(message);
		}
		if (this.#attachments.length < this.#packet.attachments) return;
		const { type, nsp, id } = this.#packet;
		const data = parseData(this.#packet, this.#attachments);
		this.destroy();
		this._fire("decoded", { type, nsp, id, data });
	}

	destroy() {
		this.#packet = undefined;
	}
}

// Type, number of attachments, namespace, id of the ack; the rest is JSON.
const HEADER = /^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)/;

/** decodeText takes a packet's text apart. Its data stays JSON until the attachments are there. */
function decodeText(text) {
	const match = HEADER.exec(text);
	if (!match) throw new Error("unknown packet type");
	const [header, digit, count, nsp = "/", id] = match;
	const binary = digit > Type.CONNECT_ERROR;
	const attachments = Number(count ?? 0);
	if (binary !== attachments > 0) throw new Error("illegal attachments");
	if (attachments > MAX_ATTACHMENTS) throw new Error("too many attachments");
	return {
		type: digit - (binary ? BINARY : 0),
		nsp,
		id: id ? Number(id) : undefined,
		attachments,
		json: text.slice(header.length),
	};
}

/** parseData parses a packet's JSON, puts the attachments in their places and checks what came of it. */
function parseData({ type, json }, attachments) {
	const place = (key, value) => {
		if (value?._placeholder !== true) return value;
		const attachment = Number.isInteger(value.num) && attachments[value.num];
		if (!attachment) throw new Error("illegal attachments");
		return attachment;
	};
	const data = json ? JSON.parse(json, attachments.length ? place : undefined) : undefined;
	if (!isValid(type, data)) throw new Error("invalid payload");
	return data;
}

function isValid(type, data) {
	const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
	switch (type) {
		case Type.CONNECT:
			return isObject || data === undefined;
		case Type.DISCONNECT:
			return data === undefined;
		case Type.EVENT:
			return Array.isArray(data) && (typeof data[0] === "number" || (typeof data[0] === "string" && !RESERVED.has(data[0])));
		case Type.ACK:
			return Array.isArray(data);
		case Type.CONNECT_ERROR:
			return isObject || typeof data === "string";
	}
}

const utf8 = new TextEncoder();

/** toBytes views a text or binary frame as bytes. A Blob has to be read first. */
export function toBytes(frame) {
	if (typeof frame === "string") return utf8.encode(frame);
	return ArrayBuffer.isView(frame) ? new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength) : new Uint8Array(frame);
}

/** frameSize is how many bytes a frame has on a WebSocket. */
export function frameSize(frame) {
	return typeof frame === "string" ? toBytes(frame).length : (frame.byteLength ?? frame.size);
}
