import { Emitter } from "./emitter.js";
import { Engine } from "./engine.js";
import { Decoder, Encoder } from "./packet.js";
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
 * Manager keeps a connection up for the sockets that share it. Events: open, error, close, ping, packet,
 * reconnect_attempt (its number), reconnect (how many attempts it took), reconnect_error, reconnect_failed.
 */
export class Manager extends Emitter {
	/** engine is the present connection, or the last one. */
	engine;

	#base;
	#state = "closed"; // opening, open
	#sockets = new Map(); // by namespace
	#encoder;
	#decoder;
	#attempts = 0;
	#reconnecting = false; // an attempt waits for its time, or runs
	#released = false; // nobody needs a connection, until somebody opens one
	#listening = []; // to the engine: event and listener
	#timer; // until the next attempt, or until the one that runs has failed

	constructor(uri, opts) {
		super();
		if (opts === undefined && typeof uri === "object" && !(uri instanceof URL)) [uri, opts] = [undefined, uri];
		const given = Object.entries(opts ?? {}).filter(([, value]) => value != null);
		this.opts = { ...DEFAULTS, ...Object.fromEntries(given) };
		const slash = this.opts.addTrailingSlash === false ? "" : "/";
		this.#base = new URL(this.opts.path.replace(/\/*$/, slash), uri ?? globalThis.location?.origin);
		const parser = this.opts.parser ?? { Encoder, Decoder };
		this.#encoder = new parser.Encoder();
		this.#decoder = new parser.Decoder();
		this.#decoder.on("decoded", (packet) => this.#receive(packet));
		if (this.opts.autoConnect) this.open();
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
		this.#released = false;
		const engine = (this.engine = new Engine(this.#base, this.opts));
		const settle = (err) => {
			clearTimeout(this.#timer);
			this.#unlisten();
			if (err) this.#failed(err, done);
			else this.#opened(done);
		};
		this.#listen("open", () => settle());
		this.#listen("close", (reason, err) => settle(err instanceof Error ? err : new Error(err?.description ?? reason)));
		if (this.opts.timeout !== false) {
			this.#timer = setTimeout(() => {
				this.#unlisten();
				engine.close();
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
		this.#released = true;
		this.#reconnecting = false;
		this.#close("forced close");
	}

	_connect(socket) {
		if (!this.#reconnecting) this.open();
		if (this.#state === "open") socket._opened();
	}

	/** _left closes the connection when no socket needs it any more. */
	_left() {
		if (!this.#wanted.length) this.disconnect();
	}

	_write(packet) {
		this.engine.write(this.#encoder.encode(packet));
	}

	get #wanted() {
		return [...this.#sockets.values()].filter((socket) => socket.active);
	}

	#listen(event, listener) {
		this.engine.on(event, listener);
		this.#listening.push([event, listener]);
	}

	#unlisten() {
		for (const [event, listener] of this.#listening.splice(0)) this.engine.off(event, listener);
	}

	#opened(done) {
		this.#state = "open";
		this.#listen("message", (message) => this.#decode(message));
		this.#listen("ping", () => this._fire("ping"));
		this.#listen("error", (err) => this.#complain(err));
		this.#listen("close", (reason, details) => this.#lost(reason, details));
		for (const socket of this.#wanted) socket._opened();
		this._fire("open");
		done?.();
	}

	#failed(err, done) {
		this.#state = "closed";
		this.#complain(err);
		if (done) done(err);
		else this.#reconnect();
	}

	#complain(err) {
		for (const socket of this.#wanted) socket._failed(err);
		this._fire("error", err);
	}

	#decode(message) {
		try {
			this.#decoder.add(message);
		} catch (err) {
			this.#lost("parse error", err);
		}
	}

	#receive(packet) {
		const socket = this.#sockets.get(packet.nsp);
		if (socket?.active) socket._receive(packet);
		this._fire("packet", packet);
	}

	#lost(reason, details) {
		this.#close(reason, details);
		this.#reconnect();
	}

	#close(reason, details) {
		clearTimeout(this.#timer);
		this.#attempts = 0;
		this.#decoder.destroy();
		if (this.#state === "closed") return;
		this.#state = "closed";
		this.#unlisten();
		this.engine.close();
		for (const socket of this.#sockets.values()) socket._closed(reason, details);
		this._fire("close", reason, details);
	}

	// A listener of what went before may have connected already, or have given up.
	#reconnect() {
		if (!this.opts.reconnection || this.#released || this.#reconnecting || this.#state !== "closed") return;
		if (this.#attempts >= (this.opts.reconnectionAttempts || Infinity)) {
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
		return Math.min((reconnectionDelay || 1000) * 2 ** this.#attempts++ * spread, reconnectionDelayMax || 5000);
	}

	#attempt() {
		this._fire("reconnect_attempt", this.#attempts);
		if (!this.#reconnecting) return;
		this.open((err) => {
			this.#reconnecting = false;
			if (err) {
				this.#reconnect();
				this._fire("reconnect_error", err);
				return;
			}
			const attempts = this.#attempts;
			this.#attempts = 0;
			this._fire("reconnect", attempts);
		});
	}
}

// Those of the options that may be changed later are methods, too: of no argument to read, of one to set.
for (const name of Object.keys(DEFAULTS).slice(2)) {
	Manager.prototype[name] = function (value) {
		if (value === undefined) return this.opts[name];
		this.opts[name] = value;
		return this;
	};
}
