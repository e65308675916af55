// Sluice in a browser: rooms, uploads that survive a lost connection, and what others send, as it comes.
//
//	import { connect } from "/sluice.js";
//
//	const sluice = connect({ token });
//	const room = await sluice.join("garden", { name: "Ada" });
//	room.on("stream", (stream) => stream.on("progress", () => bar.value = stream.received));
//	room.on("end", (stream) => image.src = sluice.url(stream.info));
//
//	const upload = room.send(input.files[0]);
//	upload.on("progress", () => bar.value = upload.offset);
//	const { url, sha256 } = await upload.done;
//
// It is a thin layer over plain Socket.IO events, which any client can speak.

import { Emitter, io } from "./sluice/socket.io.js";
import { SluiceError } from "./sluice/error.js";
import { Room } from "./sluice/room.js";

export { SluiceError };

// How long a server that let go of us is left alone.
const RECONNECT_MS = 1000;

/** connect returns a connection to the server that this file came from, or to the one at url. */
export function connect(options) {
	return new Sluice(options);
}

/**
 * Sluice is a connection that comes back by itself. Events: status ({state, transport?, error?}), problem
 * ({code, message, event?, stream?, limit?, closing?, slowed?}).
 */
export class Sluice extends Emitter {
	/** status says where we are: connecting, connected, waiting (for the next attempt), refused or closed. */
	status = { state: "connecting" };
	/** incoming has what others are sending, by stream id. */
	incoming = new Map();
	/** uploads has what we are sending, by stream id. */
	uploads = new Map();

	#base;
	#token;
	#rooms = new Map();
	#waiting = []; // those who wait for the connection: {resolve, reject}
	#closing; // the problem for which the server is about to close the connection
	#timer; // until we come back to a server that let go of us

	constructor({ url = new URL(".", import.meta.url), token, ...options } = {}) {
		super();
		this.#base = new URL(url, globalThis.location?.href);
		this.#token = token;
		const auth = token ? { token } : {};
		this.socket = io(this.#base.origin, { auth, forceNew: true, ...options });
		this.#follow(this.socket);
		globalThis.addEventListener?.("online", this.#online);
	}

	/** id is the name that others know this connection by. */
	get id() {
		return this.socket.id;
	}

	/** join enters a room; it resolves with it. Options: name (ours), from, as in the contract. */
	async join(name, options = {}) {
		const room = new Room(this, name, options);
		await this.ready();
		this.#rooms.set(name, room);
		try {
			await room._enter();
		} catch (err) {
			this.#rooms.delete(name);
			throw err;
		}
		return room;
	}

	/** url is where a stream's content is found; with download it comes as a file. */
	url(stream, { download = false } = {}) {
		const url = new URL(stream.url, this.#base);
		if (download) url.searchParams.set("download", "");
		if (this.#token) url.searchParams.set("token", this.#token);
		return url.href;
	}

	/** delete removes a stream for everybody. */
	async delete(stream) {
		await this.request("delete", { stream });
	}

	/**
	 * request sends one of the contract's requests. It resolves with what is answered, before any event that follows
	 * the answer is delivered; it rejects with a SluiceError. There is no timeout: behind an upload an answer takes its
	 * time, and the connection has a heartbeat.
	 */
	async request(event, body, ...bytes) {
		if (!this.socket.connected) throw new SluiceError("disconnected", "There is no connection.");
		let reply;
		try {
			reply = await this.socket.emitWithAck(event, body, ...bytes);
		} catch {
			throw new SluiceError("disconnected", "The connection was lost.");
		}
		if (reply?.ok) return reply;
		const { code = "internal", message = "The server gave no answer.", limit } = reply?.error ?? {};
		throw new SluiceError(code, message, limit);
	}

	/** ready resolves when there is a connection; it rejects when there will be none. */
	ready() {
		const { state, error } = this.status;
		if (state === "connected") return Promise.resolve();
		if (state === "refused" || state === "closed") return Promise.reject(error);
		return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
	}

	/** reconnect tries again at once, after a refusal too. */
	reconnect() {
		clearTimeout(this.#timer);
		this.#closing = undefined;
		this.#set({ state: "connecting" });
		this.socket.disconnect().connect();
	}

	/** close leaves everything. */
	close() {
		clearTimeout(this.#timer);
		globalThis.removeEventListener?.("online", this.#online);
		this.#set({ state: "closed", error: new SluiceError("disconnected", "The connection was closed.") });
		this.socket.disconnect();
	}

	_left(room) {
		this.#rooms.delete(room.name);
	}

	#follow(socket) {
		socket.on("connect", () => this.#connected());
		socket.on("disconnect", () => this.#disconnected());
		socket.on("connect_error", (err) => this.#failed(err));
		socket.io.on("reconnect_attempt", () => this.#set({ state: "connecting" }));
		socket.on("problem", (problem) => this.#problem(problem));
		socket.on("chunk", (chunk, bytes) => this.incoming.get(chunk.stream)?._chunk(chunk, bytes));
		socket.on("gap", (gap) => this.incoming.get(gap.stream)?._gap(gap));
		for (const event of ["member", "stream", "end", "archived", "deleted"]) {
			socket.on(event, (body) => this.#rooms.get(body.room)?.[`_${event}`](body));
		}
	}

	#connected() {
		const { engine } = this.socket.io;
		engine.on("upgrade", () => this.#set({ state: "connected", transport: "websocket" }));
		this.#set({ state: "connected", transport: engine.transport.name });
		for (const room of this.#rooms.values()) room._enterAgain();
	}

	// A server that ends lets go of everybody, and comes back. One that found a fault in what we sent would find it again.
	#disconnected() {
		for (const upload of this.uploads.values()) upload._lost();
		if (this.status.state === "closed" || this.status.state === "connecting") return;
		const why = this.#closing;
		if (why) return this.#set({ state: "refused", error: new SluiceError(why.code, why.message, why.limit) });
		this.#set({ state: "waiting" });
		if (!this.socket.active) this.#timer = setTimeout(() => this.reconnect(), RECONNECT_MS);
	}

	// The server's refusal is final; that it could not be reached is not.
	#failed(err) {
		if (this.socket.active) return this.#set({ state: "waiting", error: err });
		this.#set({ state: "refused", error: new SluiceError(err.data?.code ?? "unauthorized", err.message) });
	}

	#problem(problem) {
		if (problem.closing) this.#closing = problem;
		this._fire("problem", problem);
	}

	#set(status) {
		this.status = status;
		const { state, error } = status;
		if (state === "connected") for (const { resolve } of this.#waiting.splice(0)) resolve();
		if (state === "refused" || state === "closed") for (const { reject } of this.#waiting.splice(0)) reject(error);
		this._fire("status", status);
	}

	#online = () => {
		if (this.status.state === "waiting") this.reconnect();
	};
}
