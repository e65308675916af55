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

import { Emitter, io } from "./socket.io/socket.io.esm.js";
import { Incoming } from "./sluice/incoming.js";
import { Upload } from "./sluice/upload.js";

// How many ms a request may wait for its answer. Durable takes a moment, on a busy disk a long one.
const REPLY_MS = 60_000;

// How many uploads of a room run at a time. The others wait: one connection is not faster for more.
const UPLOADS_AT_ONCE = 4;

/** SluiceError has the contract's code, or "disconnected", "cancelled" or "unreadable", which arise here. */
export class SluiceError extends Error {
	name = "SluiceError";

	constructor(code, message) {
		super(message);
		this.code = code;
	}
}

/** connect returns a connection to the server that this file came from, or to the one at url. */
export function connect(options) {
	return new Sluice(options);
}

/**
 * Sluice is a connection that comes back by itself. Events: status ({state, transport?, error?}), problem
 * ({code, message, event?, limit?, closing?}).
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
		await room._enter();
		this.#rooms.set(name, room);
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
	 * request sends one of the contract's requests and resolves with what it is answered, or rejects with a
	 * SluiceError. replied sees the answer before any event that follows it does.
	 */
	request(event, body, { bytes, replied } = {}) {
		if (!this.socket.connected) return Promise.reject(new SluiceError("disconnected", "There is no connection."));
		return new Promise((resolve, reject) => {
			const args = bytes === undefined ? [body] : [body, bytes];
			this.socket.timeout(REPLY_MS).emit(event, ...args, (err, reply) => {
				if (err) return reject(new SluiceError("disconnected", "The server did not answer."));
				if (!reply?.ok) return reject(new SluiceError(reply?.error?.code ?? "internal", reply?.error?.message ?? "No answer."));
				replied?.(reply);
				resolve(reply);
			});
		});
	}

	/** ready resolves when there is a connection; it rejects when there will be none. */
	ready() {
		const { state, error } = this.status;
		if (state === "connected") return Promise.resolve();
		if (state === "refused" || state === "closed") return Promise.reject(error);
		return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
	}

	/** close leaves everything. */
	close() {
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
		socket.on("problem", (problem) => this._fire("problem", problem));
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

	#disconnected() {
		if (this.status.state === "closed") return;
		if (this.socket.active) this.#set({ state: "waiting" });
		else this.#set({ state: "refused", error: new SluiceError("gone", "The server ended the connection.") });
	}

	// The server's refusal is final; that it could not be reached is not.
	#failed(err) {
		if (this.socket.active) return this.#set({ state: "waiting", error: err });
		this.#set({ state: "refused", error: new SluiceError(err.data?.code ?? "unauthorized", err.message) });
	}

	#set(status) {
		this.status = status;
		const { state, error } = status;
		if (state === "connected") for (const { resolve } of this.#waiting.splice(0)) resolve();
		if (state === "refused" || state === "closed") for (const { reject } of this.#waiting.splice(0)) reject(error);
		this._fire("status", status);
	}

	#online = () => {
		if (this.status.state === "waiting") this.socket.disconnect().connect();
	};
}

/**
 * Room is one that we are in. Events: member ({id, name?, event}), stream, progress, end, archived (an Incoming
 * each), deleted (a stream's id), enter (we are back in it after a lost connection).
 */
export class Room extends Emitter {
	/** members are those who are here, ourselves included, by id. */
	members = new Map();

	#sluice;
	#options;
	#queue = []; // uploads that wait for their turn
	#running = 0;

	constructor(sluice, name, options) {
		super();
		this.name = name;
		this.#sluice = sluice;
		this.#options = options;
	}

	/** streams are those that others are sending. */
	get streams() {
		return [...this.#sluice.incoming.values()].filter((stream) => stream.info.room === this.name);
	}

	/** send uploads a Blob or File. Options: name, type, meta, archive, sha256, key; a key resumes its upload. */
	send(file, options) {
		const upload = new Upload(this.#sluice, this.name, file, options);
		this.#queue.push(upload);
		this.#startNext();
		return upload;
	}

	/** list resolves with the room's streams, newest first; before is a stream's id. */
	async list({ before, limit } = {}) {
		return (await this.#sluice.request("list", { room: this.name, before, limit })).streams;
	}

	/** leave resolves when no event of the room will follow. */
	async leave() {
		await this.#sluice.request("leave", { room: this.name });
		this.#sluice._left(this);
		for (const stream of this.streams) this.#sluice.incoming.delete(stream.info.id);
	}

	async _enter() {
		const { name, from } = this.#options;
		const accept = typeof DecompressionStream === "undefined" ? [] : ["deflate-raw"];
		const replied = (reply) => this.#entered(reply);
		return this.#sluice.request("join", { room: this.name, name, from, accept }, { replied });
	}

	async _enterAgain() {
		try {
			const { streams } = await this._enter();
			const open = new Set(streams.map((info) => info.id));
			const [here, gone] = [this.streams.filter((s) => open.has(s.info.id)), this.streams.filter((s) => !open.has(s.info.id))];
			for (const stream of here) await this.#resume(stream);
			if (gone.length) await this.#settle(gone);
			this._fire("enter");
		} catch (err) {
			if (err.code !== "disconnected") this.#sluice._fire("problem", { code: err.code, message: err.message, event: "join" });
		}
	}

	_member(body) {
		if (body.event === "join") this.members.set(body.id, { id: body.id, name: body.name });
		else this.members.delete(body.id);
		this._fire("member", body);
	}

	_stream(info) {
		if (this.#sluice.uploads.has(info.id)) return;
		const known = this.#sluice.incoming.get(info.id);
		if (known) return known._update(info);
		const stream = new Incoming(info);
		this.#sluice.incoming.set(info.id, stream);
		stream.on("progress", () => this._fire("progress", stream));
		this._fire("stream", stream);
	}

	_end(info) {
		const stream = this.#sluice.incoming.get(info.id);
		if (!stream) return;
		this.#sluice.incoming.delete(info.id);
		stream._end(info);
		this._fire("end", stream);
	}

	_archived(info) {
		this._fire("archived", info);
	}

	_deleted({ stream }) {
		this.#sluice.incoming.delete(stream);
		this._fire("deleted", stream);
	}

	#entered({ members, streams }) {
		this.members = new Map(members.map((member) => [member.id, member]));
		for (const info of streams) this._stream(info);
	}

	// A live stream goes on from where it is now, a file from where it stopped.
	async #resume(stream) {
		if (stream.info.kind === "live" || stream.received === 0) return;
		await this.#sluice.request("subscribe", { stream: stream.info.id, from: stream.received });
	}

	/** settle finds out how streams ended that ended while we were away. */
	async #settle(streams) {
		const listed = new Map((await this.list({ limit: 500 })).map((info) => [info.id, info]));
		for (const { info } of streams) this._end(listed.get(info.id) ?? { ...info, state: "failed" });
	}

	async #startNext() {
		if (this.#running >= UPLOADS_AT_ONCE || !this.#queue.length) return;
		this.#running++;
		await this.#queue.shift()._run();
		this.#running--;
		this.#startNext();
	}
}
