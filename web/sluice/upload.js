import { Emitter } from "./socket.io.js";
import { SluiceError } from "./error.js";

// A server that is full or busy is asked again, this often while nothing moves, after 1, 2, 4 ... seconds.
const RETRIES = 5;

/**
 * Upload sends a Blob into a room, chunk by chunk, and goes on from what the server holds after a lost
 * connection. Events: progress, and state whenever that changes.
 */
export class Upload extends Emitter {
	/** state is waiting (for its turn), sending, paused (no connection, or the server is busy), ended, failed or cancelled. */
	state = "waiting";
	/** offset counts the bytes that are durable on the server. */
	offset = 0;
	/** info is the contract's Stream, once the server knows of it. */
	info;
	/** error says why a failed upload failed. */
	error;
	/** done resolves with the finished Stream; it rejects with a SluiceError. */
	done;

	#sluice;
	#request;
	#sha256;
	#settle; // of done
	#retries = 0;
	#interrupt = () => {}; // ends a pause
	#stop = () => {}; // ends an attempt, with an error
	#acked; // called when a chunk is acknowledged

	constructor(sluice, room, file, { name = file.name ?? "", type = file.type, key = randomKey(), sha256, archive, meta } = {}) {
		super();
		this.file = file;
		this.#sluice = sluice;
		this.#sha256 = sha256;
		this.#request = { room, name, type, size: file.size, kind: "file", key, archive, meta };
		this.#settle = Promise.withResolvers();
		this.done = this.#settle.promise;
		this.done.catch(() => {}); // who does not ask is not told
	}

	get name() {
		return this.#request.name;
	}

	get size() {
		return this.file.size;
	}

	/** cancel gives the upload up; what the server has of it is thrown away. */
	cancel() {
		if (this.#over) return;
		const err = new SluiceError("cancelled", "The upload was cancelled.");
		this.#end("cancelled", err);
		this.#stop(err);
		this.#interrupt();
	}

	/** _run sends, however often the connection is lost meanwhile. It never rejects. */
	async _run() {
		while (!this.#over) {
			try {
				await this.#sluice.ready();
				await this.#attempt();
			} catch (err) {
				if (!this.#over) await this.#recover(err);
			}
		}
		if (this.state === "cancelled" && this.info) await this.#giveBack();
		this.#sluice.uploads.delete(this.info?.id);
	}

	/** _lost says that the connection is gone. */
	_lost() {
		this.#stop(new SluiceError("disconnected", "The connection was lost."));
	}

	get #over() {
		return ["ended", "failed", "cancelled"].includes(this.state);
	}

	/** attempt goes on where the server's answer to publish says. */
	async #attempt() {
		const { stream, offset, window, chunk } = await this.#sluice.request("publish", this.#request);
		this.info = stream;
		if (this.#over) return;
		this.#sluice.uploads.set(stream.id, this);
		this.#become("sending");
		this.offset = offset;
		this._fire("progress");
		if (stream.state === "open") {
			await this.#send(offset, window, chunk);
			if (this.#over) return;
			this.info = (await this.#sluice.request("finish", { stream: stream.id, sha256: this.#sha256 })).stream;
		}
		this.#end("ended");
	}

	/** giveBack tells the server that nothing more of a cancelled upload comes, as soon as it can be told. */
	async #giveBack() {
		try {
			await this.#sluice.ready();
			await this.#sluice.request("publish", this.#request); // after a lost connection the stream is nobody's
			await this.#sluice.request("cancel", { stream: this.info.id });
		} catch {
			// Then the server gives it up by itself, after a while.
		}
	}

	/** send keeps window bytes on their way. It ends when all are durable. */
	async #send(sent, window, chunk) {
		const stopped = Promise.withResolvers();
		stopped.promise.catch(() => {});
		this.#stop = stopped.reject;
		while (this.offset < this.size) {
			if (sent < this.size && (sent === this.offset || sent + chunk - this.offset <= window)) {
				const read = this.#read(sent, Math.min(sent + chunk, this.size));
				const bytes = await Promise.race([read, stopped.promise]);
				this.#sendChunk(sent, bytes, stopped.reject);
				sent += bytes.byteLength;
			} else {
				const acked = new Promise((resolve) => (this.#acked = resolve));
				await Promise.race([acked, stopped.promise]);
			}
		}
	}

	async #sendChunk(offset, bytes, refused) {
		try {
			this.#moved((await this.#sluice.request("chunk", { stream: this.info.id, offset }, bytes)).offset);
		} catch (err) {
			refused(err);
		}
		this.#acked?.();
	}

	// A file that has changed since it was chosen cannot be read any more. As a Blob in a WebSocket it would take the
	// connection down; here only this upload fails.
	async #read(from, to) {
		try {
			return await this.file.slice(from, to).arrayBuffer();
		} catch {
			throw new SluiceError("unreadable", "The file cannot be read. Has it changed since it was chosen?");
		}
	}

	async #recover(err) {
		const { state } = this.#sluice.status;
		if (err.code === "disconnected" && state !== "refused" && state !== "closed") return this.#become("paused");
		if (err.code === "unavailable" && this.#retries < RETRIES) {
			this.#become("paused");
			return this.#pause(1000 * 2 ** this.#retries++);
		}
		this.#end("failed", err);
	}

	async #pause(ms) {
		let timer;
		await new Promise((resolve) => {
			timer = setTimeout(resolve, ms);
			this.#interrupt = resolve;
		});
		clearTimeout(timer);
	}

	#moved(offset) {
		if (offset > this.offset) this.#retries = 0;
		this.offset = Math.max(this.offset, offset);
		this._fire("progress");
	}

	#become(state) {
		if (this.#over || this.state === state) return;
		this.state = state;
		this._fire("state");
	}

	#end(state, error) {
		if (this.#over) return;
		this.error = error;
		this.state = state;
		if (error) this.#settle.reject(error);
		else this.#settle.resolve(this.info);
		this._fire("state");
	}
}

// crypto.randomUUID asks for a secure context, which a server in the local network often is not.
function randomKey() {
	return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
