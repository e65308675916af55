import { Frame, frameSize, isBlob, toBytes } from "./packet.js";

// A transport tells its engine by `on`: open(), frame(f), drain() when it takes frames again, and once
// close(reason, error). It takes from the engine's queue what it can carry: take(queue).

// Between the frames of one request or response.
const SEPARATOR = "\x1e";

/** transportError is an error with the fields that stock clients give it. */
export function transportError(message, description, context) {
	return Object.assign(new Error(message), { type: "TransportError", description, context });
}

/** Polling receives by a GET that waits, and sends by one POST at a time. */
export class Polling {
	name = "polling";
	on = {};
	/** bufferedAmount is how many bytes the running POST holds. */
	bufferedAmount = 0;

	#engine;
	#abort = new AbortController();
	#closed = false;
	#paused = false;
	#receiving; // the promise of the GETs
	#posting; // the promise of the running POST

	constructor(engine) {
		this.#engine = engine;
	}

	get writable() {
		return !this.#posting && !this.#paused && !this.#closed;
	}

	open() {
		this.resume();
	}

	/** pause resolves when no request is running any more. */
	async pause() {
		this.#paused = true;
		await Promise.all([this.#receiving, this.#posting]);
	}

	resume() {
		this.#paused = false;
		this.#receiving = this.#receive();
	}

	/** take sends as many frames as fit in what the server reads of a POST, and one at least. */
	take(queue) {
		const batch = [];
		let size = 0;
		do {
			size += postSize(queue[0]) + 1;
			batch.push(queue.shift());
		} while (queue.length && size + postSize(queue[0]) <= this.#engine.maxPayload);
		this.bufferedAmount = size;
		this.#posting = this.#post(batch).finally(() => {
			this.bufferedAmount = 0;
			this.#posting = undefined;
			this.on.drain?.();
		});
	}

	/** close ends the requests; with tell set the server is told first. */
	close(tell) {
		if (this.#closed) return;
		this.#closed = true;
		const told = tell ? this.#request("POST", Frame.CLOSE, { keepalive: true }) : Promise.resolve();
		told.catch(() => {}).finally(() => this.#abort.abort());
	}

	async #receive() {
		while (!this.#closed && !this.#paused) {
			let payload;
			try {
				payload = await (await this.#request("GET")).text();
			} catch (err) {
				return this.#fail("xhr poll error", err);
			}
			for (const part of payload.split(SEPARATOR)) {
				if (this.#closed) return;
				this.on.frame?.(part[0] === "b" ? fromBase64(part.slice(1)) : part);
				await null; // who awaits an ack goes on before the next event comes, as with WebSocket
			}
		}
	}

	async #post(frames) {
		try {
			const parts = frames.map(async (frame) => (typeof frame === "string" ? frame : `b${await toBase64(frame)}`));
			await this.#request("POST", (await Promise.all(parts)).join(SEPARATOR));
		} catch (err) {
			this.#fail("xhr post error", err);
		}
	}

	async #request(method, body, more) {
		const { withCredentials, extraHeaders, requestTimeout } = this.#engine.options(this.name);
		const { signal } = this.#abort;
		const response = await fetch(this.#engine.url(this.name), {
			method,
			body,
			cache: "no-store",
			credentials: withCredentials ? "include" : "same-origin",
			headers: { ...extraHeaders, ...(body && { "Content-Type": "text/plain;charset=UTF-8" }) },
			signal: requestTimeout ? AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)]) : signal,
			...more,
		});
		if (response.status === 200) return response;
		const { status } = response;
		throw { status, context: { status, responseText: await response.text() } };
	}

	#fail(message, cause) {
		if (this.#closed) return;
		this.close();
		this.on.close?.("transport error", transportError(message, cause.status ?? 0, cause.context ?? cause));
	}
}

/** postSize is how many bytes a frame takes in a POST. */
export function postSize(frame) {
	return typeof frame === "string" ? frameSize(frame) : 1 + 4 * Math.ceil(frameSize(frame) / 3);
}

async function toBase64(data) {
	const bytes = toBytes(isBlob(data) ? await data.arrayBuffer() : data);
	if (bytes.toBase64) return bytes.toBase64();
	const step = 3 * 8192; // whole groups of three, and few enough for the stack
	let text = "";
	for (let i = 0; i < bytes.length; i += step) text += btoa(String.fromCharCode(...bytes.subarray(i, i + step)));
	return text;
}

function fromBase64(text) {
	if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text).buffer;
	return Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
}
