import { Emitter } from "./emitter.js";
import { Engine } from "./engine.js";
import { decodeText, parseData } from "./packet.js";
import { Socket } from "./socket.js";

const DEFAULTS = {
	path: "/socket.io/",
	autoConnect: true,
	timeout: 20_000,
	reconnection: true,
	reconnectionAttempts: Infinity,
	reconnectionDelay: 1000,
	reconnectionDelayMax: 5000,
	randomizationFactor: 0.5,
};

/**
 * Manager keeps a connection up for the sockets that share it. Events: open, error, close, ping,
 * reconnect_attempt (its number), reconnect (how many attempts it took), reconnect_error, reconnect_failed.
 */
export class Manager extends Emitter {
	/** engine is the present connection, or the last one. */
	engine;

	#base;
	#state = "closed"; // opening, open
	#sockets = new Map(); // by namespace
	#packet; // one that waits for its attachments
	#attempts = 0;
	#reconnecting = false; // an attempt waits for its time, or runs
	#timer; // until the next attempt, or until the one that runs has failed

	constructor(uri, opts = {}) {
		super();
		const given = Object.entries(opts).filter(([, value]) => value !== undefined);
		this.opts = { ...DEFAULTS, ...Object.fromEntries(given) };
		const slash = this.opts.addTrailingSlash === false ? "" : "/";
		this.#base = new URL(this.opts.path.replace(/\/*$/, slash), uri ?? globalThis.location?.origin);
	}

	/** socket returns the socket of a namespace, a new one when there is none. */
	socket(nsp, opts) {
		let socket = this.#sockets.get(nsp);
		if (!socket) {
			socket = new Socket(this, nsp, opts ?? this.opts);
			this.#sockets.set(nsp, socket);
		}
		if (this.opts.autoConnect) socket.connect();
		return socket;
	}

	/** has is whether a namespace has a socket here. */
	has(nsp) {
		return this.#sockets.has(nsp);
	}

	/** open connects. done is told how that ended; without it a failure is followed by further attempts. */
	open(done) {
		if (this.#state !== "closed") return this;
		this.#state = "opening";
		const engine = (this.engine = new Engine(this.#base, this.opts));
		const settle = (err) => {
			clearTimeout(this.#timer);
			engine.off();
			if (err) this.#failed(err, done);
			else this.#opened(engine, done);
		};
		engine.on("open", () => settle());
		engine.on("close", (reason, err) => settle(err ?? new Error(reason)));
		if (this.opts.timeout !== false) {
			this.#timer = setTimeout(() => {
				engine.off().close();
				settle(new Error("timeout"));
			}, this.opts.timeout);
		}
		return this;
	}

	connect(done) {
		return this.open(done);
	}

	/** disconnect closes the connection, for all sockets and until one of them is told to connect. */
	disconnect() {
		this.#reconnecting = false;
		this.#close("forced close");
	}

	_connect(socket) {
		if (this.#state === "open") socket._opened();
		else if (!this.#reconnecting) this.open();
	}

	/** _left closes the connection when no socket needs it any more. */
	_left() {
		if (!this.#wanted.length) this.disconnect();
	}

	_write(parts) {
		this.engine.write(parts);
	}

	get #wanted() {
		return [...this.#sockets.values()].filter((socket) => socket.active);
	}

	#opened(engine, done) {
		this.#state = "open";
		engine.on("message", (message) => this.#receive(message));
		engine.on("ping", () => this._fire("ping"));
		engine.on("close", (reason, err) => this.#lost(reason, err));
		this._fire("open");
		for (const socket of this.#wanted) socket._opened();
		done?.();
	}

	#failed(err, done) {
		this.#state = "closed";
		this._fire("error", err);
		for (const socket of this.#wanted) socket._failed(err);
		if (done) done(err);
		else this.#reconnect();
	}

	#receive(message) {
		let packet;
		try {
			packet = this.#assemble(message);
		} catch (err) {
			return this.#lost("parse error", err);
		}
		const socket = packet && this.#sockets.get(packet.nsp);
		if (socket?.active) socket._receive(packet);
	}

	/** assemble returns a packet when all of it is there. */
	#assemble(message) {
		if (typeof message === "string") {
			if (this.#packet) throw new Error("text came instead of an attachment");
			this.#packet = { ...decodeText(message), parts: [] };
		} else {
			if (!this.#packet) throw new Error("an attachment came without its text");
			this.#packet.parts.push(message);
		}
		const packet = this.#packet;
		if (packet.parts.length < packet.attachments) return undefined;
		this.#packet = undefined;
		return { ...packet, data: parseData(packet, packet.parts) };
	}

	#lost(reason, err) {
		this.#close(reason, err);
		this.#reconnect();
	}

	#close(reason, err) {
		clearTimeout(this.#timer);
		this.#attempts = 0;
		this.#packet = undefined;
		if (this.#state === "closed") return;
		this.#state = "closed";
		this.engine.off().close();
		this._fire("close", reason, err);
		for (const socket of this.#sockets.values()) socket._closed(reason, err);
	}

	// A listener of what went before may have connected already, or have given up.
	#reconnect() {
		if (!this.opts.reconnection || this.#reconnecting || this.#state !== "closed" || !this.#wanted.length) return;
		if (this.#attempts >= this.opts.reconnectionAttempts) {
			this.#attempts = 0;
			this._fire("reconnect_failed");
			return;
		}
		this.#reconnecting = true;
		this.#timer = setTimeout(() => this.#attempt(), this.#delay());
	}

	/** delay doubles with every attempt, spread so that clients do not all come back at once. */
	#delay() {
		const { reconnectionDelay, reconnectionDelayMax, randomizationFactor } = this.opts;
		const spread = 1 + randomizationFactor * (2 * Math.random() - 1);
		return Math.min(reconnectionDelay * 2 ** this.#attempts++ * spread, reconnectionDelayMax);
	}

	#attempt() {
		this._fire("reconnect_attempt", this.#attempts);
		if (!this.#reconnecting) return;
		this.open((err) => {
			this.#reconnecting = false;
			if (err) {
				this._fire("reconnect_error", err);
				this.#reconnect();
				return;
			}
			const attempts = this.#attempts;
			this.#attempts = 0;
			this._fire("reconnect", attempts);
		});
	}
}
