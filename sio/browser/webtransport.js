import { Frame, frameSize, isBlob, toBytes } from "./packet.js";
import { transportError } from "./polling.js";

// What one length byte says where it is not the length: that 2 or 8 bytes with the length follow.
const LENGTH_16 = 126;
const LENGTH_64 = 127;

const BINARY_BIT = 128;

// How many ms a server has to read a stream to its end. What it has not read then is lost with the session.
const GOODBYE = 1000;

/** WebTransportStream carries each frame on one stream of a WebTransport, behind its length. A Blob is read as it is sent. */
export class WebTransportStream {
	name = "webtransport";
	on = {};
	/** bufferedAmount is how many bytes the stream has not taken yet. */
	bufferedAmount = 0;
	writable = false;

	#engine;
	#session;
	#writer;
	#writing = Promise.resolve();
	#closed = false;

	constructor(engine) {
		this.#engine = engine;
	}

	async open() {
		await null; // whoever opens hears of a failure afterwards
		const failed = (err) => this.#end("transport error", transportError("webtransport error", err));
		try {
			const { transportOptions } = this.#engine.opts;
			this.#session = new WebTransport(this.#engine.url(this.name), transportOptions?.[this.name]);
			this.#session.closed.then(() => this.#end("transport close"), failed);
			await this.#session.ready;
			const { readable, writable } = await this.#session.createBidirectionalStream();
			this.#writer = writable.getWriter();
			this.writable = true;
			const { id } = this.#engine;
			this.take([Frame.OPEN + (id ? JSON.stringify({ sid: id }) : "")]);
			this.on.open?.();
			await this.#receive(readable);
		} catch (err) {
			if (!this.#session) failed(err);
		}
		this.#session?.close(); // how it ended is said by closed
	}

	take(queue) {
		for (const frame of queue.splice(0)) {
			this.bufferedAmount += frameSize(frame);
			this.#writing = this.#writing.then(() => this.#write(frame)).catch(() => {}); // closed says why
		}
	}

	/** close sends what was taken, then ends the stream, and the session where the server does not. */
	close() {
		if (this.#closed) return;
		this.#closed = true;
		this.writable = false;
		const sent = this.#writing.then(() => this.#writer?.close());
		sent.catch(() => {}).then(() => setTimeout(() => this.#session?.close(), this.#writer ? GOODBYE : 0));
	}

	async #write(frame) {
		const size = frameSize(frame);
		const head = header(size, typeof frame !== "string");
		if (isBlob(frame)) {
			await this.#writer.write(head);
			const reader = frame.stream().getReader();
			for (let part; !(part = await reader.read()).done; ) await this.#writer.write(part.value);
		} else {
			const bytes = new Uint8Array(head.length + size);
			bytes.set(head);
			bytes.set(toBytes(frame), head.length);
			await this.#writer.write(bytes);
		}
		this.bufferedAmount -= size;
	}

	async #receive(stream) {
		const read = exactly(stream.getReader());
		const utf8 = new TextDecoder();
		for (;;) {
			const [first] = await read(1);
			let size = first & ~BINARY_BIT;
			if (size >= LENGTH_16) size = (await read(size === LENGTH_16 ? 2 : 8)).reduce((sum, byte) => sum * 256 + byte, 0);
			const bytes = await read(size);
			if (!this.#closed) this.on.frame?.(first & BINARY_BIT ? bytes.buffer : utf8.decode(bytes));
		}
	}

	#end(reason, details = { description: "webtransport session closed" }) {
		if (this.#closed) return;
		this.close();
		this.on.close?.(reason, details);
	}
}

function header(size, binary) {
	const wide = size > 65535;
	const head = new DataView(new ArrayBuffer(size < LENGTH_16 ? 1 : wide ? 9 : 3));
	if (size >= LENGTH_16) {
		if (wide) head.setBigUint64(1, BigInt(size));
		else head.setUint16(1, size);
		size = wide ? LENGTH_64 : LENGTH_16;
	}
	head.setUint8(0, binary ? size | BINARY_BIT : size);
	return new Uint8Array(head.buffer);
}

/** exactly returns a function that reads so many bytes, and fails where the stream ends before. */
function exactly(reader) {
	let chunk = new Uint8Array(); // the rest of what was read last
	return async (size) => {
		const bytes = new Uint8Array(size);
		for (let at = 0; at < size; ) {
			if (!chunk.length) {
				const { value, done } = await reader.read();
				if (done) throw new Error("the stream has ended");
				chunk = value;
			}
			const part = chunk.subarray(0, size - at);
			bytes.set(part, at);
			at += part.length;
			chunk = chunk.subarray(part.length);
		}
		return bytes;
	};
}
