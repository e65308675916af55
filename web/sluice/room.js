import { Emitter } from "./socket.io.js";
import { Incoming } from "./incoming.js";
import { Upload } from "./upload.js";

// How many uploads of a room run at a time. The others wait: one connection is not faster for more.
const UPLOADS_AT_ONCE = 4;

// How often the server is asked how far the streams are whose bytes we do not want.
const LOOK_MS = 1000;

/**
 * Room is one that we are in. Events: member ({id, name?, event}), stream, progress, end (an Incoming each), archived
 * (the contract's Stream), deleted (a stream's id), enter (we are back after a lost connection).
 */
export class Room extends Emitter {
	/** members are those who are here, ourselves included, by id. */
	members = new Map();

	#sluice;
	#options;
	#queue = []; // uploads that wait for their turn
	#running = 0;
	#timer; // until the next look

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

	/** ignore asks for no more bytes of an incoming stream. Its progress and end are still told. */
	async ignore(stream) {
		stream.ignored = true;
		this.#look();
		await this.#sluice.request("unsubscribe", { stream: stream.info.id });
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
		const reply = await this.#sluice.request("join", { room: this.name, name, from, accept });
		this.members = new Map(reply.members.map((member) => [member.id, member]));
		for (const info of reply.streams) this._stream(info);
		return reply;
	}

	async _enterAgain() {
		try {
			const { streams } = await this._enter();
			const open = new Set(streams.map((info) => info.id));
			const own = streams.filter((info) => this.#sluice.uploads.has(info.id));
			for (const { id } of own) await this.#sluice.request("unsubscribe", { stream: id });
			for (const stream of this.streams.filter((s) => open.has(s.info.id))) await this.#resume(stream);
			await this.#settle(this.streams.filter((s) => !open.has(s.info.id)));
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

	// A live stream goes on from where it is now, a file from where it stopped.
	async #resume(stream) {
		try {
			if (stream.ignored) return await this.ignore(stream);
			if (stream.info.kind === "live" || stream.received === 0) return;
			await this.#sluice.request("subscribe", { stream: stream.info.id, from: stream.received });
		} catch {
			// It has just ended, which is told.
		}
	}

	/** settle finds out how streams ended that ended while we were away. */
	async #settle(streams) {
		if (!streams.length) return;
		const listed = new Map((await this.list({ limit: 500 })).map((info) => [info.id, info]));
		for (const { info } of streams) this._end(listed.get(info.id) ?? { ...info, state: "failed" });
	}

	/** look asks how far the ignored streams are, again and again while there are any. */
	async #look() {
		if (this.#timer) return;
		this.#timer = setTimeout(async () => {
			const streams = this.#ignored.length ? await this.list().catch(() => []) : [];
			for (const info of streams) this.#sluice.incoming.get(info.id)?._look(info);
			this.#timer = undefined;
			if (this.#ignored.length) this.#look();
		}, LOOK_MS);
	}

	get #ignored() {
		return this.streams.filter((stream) => stream.ignored);
	}

	async #startNext() {
		if (this.#running >= UPLOADS_AT_ONCE || !this.#queue.length) return;
		this.#running++;
		await this.#queue.shift()._run();
		this.#running--;
		this.#startNext();
	}
}
