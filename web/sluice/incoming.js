import { Emitter } from "./socket.io.js";

/**
 * Incoming is a stream that somebody else is sending. Events: progress, gap ({from, to, reason}), end.
 *
 * Its bytes are counted and forgotten, unless collect is called before the first of them, that is while the
 * event "stream" is delivered. What has ended can always be had by its url.
 */
export class Incoming extends Emitter {
	/** received counts the bytes that came, or were skipped, from the beginning. */
	received = 0;
	/** ignored is whether the room was told to ask for no more of it. */
	ignored = false;

	#parts; // of Blob or Promise<Blob>, when collected
	#ended = Promise.withResolvers();

	/** info is the contract's Stream. */
	constructor(info) {
		super();
		this.info = info;
	}

	/** collect keeps the bytes. It resolves with a Blob at the end, with null if some are missing. */
	async collect() {
		this.#parts ??= this.received ? null : [];
		const info = await this.#ended.promise;
		if (!this.#parts || info.state === "failed" || info.state === "cancelled") return null;
		return new Blob(await Promise.all(this.#parts), { type: info.type });
	}

	_update(info) {
		this.info = info;
	}

	_chunk({ offset, init, encoding, size }, bytes) {
		if (init) return;
		const end = offset + (encoding ? size : bytes.byteLength);
		if (end <= this.received) return; // again, after a lost connection
		if (this.#parts) this.#parts.push(decode(bytes, encoding, this.received - offset));
		this.received = end;
		this._fire("progress");
	}

	/** _look takes what the server says of a stream whose bytes are not sent. */
	_look(info) {
		if (!this.ignored || info.state !== "open") return;
		this.#parts = null;
		this.received = Math.max(this.received, info.offset);
		this._fire("progress");
	}

	_gap({ from, to, reason }) {
		this.#parts = null;
		this.received = Math.max(this.received, to);
		this._fire("gap", { from, to, reason });
	}

	_end(info) {
		this.info = info;
		this.#ended.resolve(info);
		this._fire("end");
	}
}

/** decode returns a chunk's plain bytes, without the first skip of them. */
async function decode(bytes, encoding, skip) {
	let plain = new Blob([bytes]);
	if (encoding) plain = await new Response(plain.stream().pipeThrough(new DecompressionStream(encoding))).blob();
	return plain.slice(skip);
}
