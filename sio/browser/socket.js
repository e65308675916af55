import { call, Emitter } from "./emitter.js";
import { encodePacket, RESERVED, Type } from "./packet.js";

/**
 * Socket is a namespace on a manager's connection. Events: connect, connect_error (error), disconnect (reason,
 * details), and those of the server.
 */
export class Socket extends Emitter {
	connected = false;
	/** recovered is whether this connection goes on where the last one ended, missed events included. */
	recovered = false;
	/** id is the server's name for this socket; every connection gets a new one. */
	id;

	#ackTimeout;
	#active = false;
	#asked = false; // CONNECT was sent, and is not answered yet
	#unsent = []; // events emitted while not connected
	#flags = {}; // of the next event
	#acks = new Map(); // id -> {done, fails, timer}; fails: done takes an error first
	#nextID = 0;
	#incoming = []; // listeners for any event
	#outgoing = [];
	#pid; // of connection state recovery: our private id, and the last offset seen
	#offset;

	constructor(manager, nsp, opts = {}) {
		super();
		this.io = manager;
		this.nsp = nsp;
		this.auth = opts.auth;
		this.#ackTimeout = opts.ackTimeout;
	}

	get disconnected() {
		return !this.connected;
	}

	/** active is whether the socket is connected, or will be without being told. */
	get active() {
		return this.#active;
	}

	/** volatile makes the next event one that is dropped when it cannot leave soon. */
	get volatile() {
		this.#flags.volatile = true;
		return this;
	}

	/** timeout bounds the wait for the next event's ack, whose function then takes an error first. */
	timeout(ms) {
		this.#flags.timeout = ms;
		return this;
	}

	connect() {
		if (this.connected || this.#asked) return this;
		this.#active = true;
		this.io._connect(this);
		return this;
	}

	open() {
		return this.connect();
	}

	disconnect() {
		if (this.connected) this.#write({ type: Type.DISCONNECT });
		this.#leave("io client disconnect");
		return this;
	}

	close() {
		return this.disconnect();
	}

	send(...args) {
		return this.emit("message", ...args);
	}

	/** emit sends an event; a function as the last argument takes the ack. */
	emit(event, ...args) {
		if (RESERVED.has(event)) throw new Error(`"${event}" is a reserved event name`);
		const { volatile, timeout = this.#ackTimeout } = this.#flags;
		this.#flags = {};
		const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
		const packet = { type: Type.EVENT, data: [event, ...args], id: ack && this.#expect(ack, timeout) };
		if (volatile && !(this.connected && this.io.engine.writable)) return this;
		if (this.connected) this.#writeEvent(packet);
		else this.#unsent.push(packet);
		return this;
	}

	/** emitWithAck resolves with the ack's first argument; it rejects on a timeout or a disconnect. */
	emitWithAck(event, ...args) {
		return new Promise((resolve, reject) => {
			const done = (err, value) => (err ? reject(err) : resolve(value));
			done.fails = true;
			this.emit(event, ...args, done);
		});
	}

	/** onAny adds a listener for whatever event comes: (name, ...arguments). */
	onAny(listener) {
		this.#incoming = [...this.#incoming, listener];
		return this;
	}

	offAny(listener) {
		this.#incoming = listener ? this.#incoming.filter((l) => l !== listener) : [];
		return this;
	}

	/** onAnyOutgoing adds a listener for whatever event is sent. */
	onAnyOutgoing(listener) {
		this.#outgoing = [...this.#outgoing, listener];
		return this;
	}

	offAnyOutgoing(listener) {
		this.#outgoing = listener ? this.#outgoing.filter((l) => l !== listener) : [];
		return this;
	}

	/** _opened asks for the namespace: the connection is up. */
	_opened() {
		this.#asked = true;
		const { engine } = this.io;
		const ask = (auth) => {
			if (engine !== this.io.engine) return; // the answer came too late, this connection is gone
			this.#write({ type: Type.CONNECT, data: this.#pid ? { pid: this.#pid, offset: this.#offset, ...auth } : auth });
		};
		if (typeof this.auth === "function") this.auth(ask);
		else ask(this.auth);
	}

	/** _failed says that the connection could not be made. */
	_failed(err) {
		this._fire("connect_error", err);
	}

	/** _closed says that the connection is gone. */
	_closed(reason, details) {
		this.#asked = false;
		if (!this.connected) return;
		this.connected = false;
		this.id = undefined;
		this._fire("disconnect", reason, details);
		this.#failAcks();
	}

	_receive({ type, id, data }) {
		switch (type) {
			case Type.CONNECT:
				return this.#accepted(data);
			case Type.DISCONNECT:
				return this.#leave("io server disconnect");
			case Type.EVENT:
				return this.#received(id === undefined ? data : [...data, this.#replier(id)]);
			case Type.ACK:
				return this.#acked(id, data);
			case Type.CONNECT_ERROR:
				return this.#refused(data);
		}
	}

	#accepted({ sid, pid } = {}) {
		if (!sid) return this.#refused("the server speaks an older protocol (Socket.IO 2)");
		this.#asked = false;
		this.id = sid;
		this.recovered = pid !== undefined && pid === this.#pid;
		this.#pid = pid;
		this.connected = true;
		for (const packet of this.#unsent.splice(0)) this.#writeEvent(packet);
		this._fire("connect");
	}

	#refused(data) {
		const { message, data: more } = typeof data === "string" ? { message: data } : data;
		this.#leave();
		this._fire("connect_error", Object.assign(new Error(message), { data: more }));
	}

	// The listeners of disconnect may connect again: then the connection is kept.
	#leave(reason) {
		this.#active = false;
		this._closed(reason);
		this.io._left();
	}

	#received(data) {
		for (const listener of this.#incoming) call(listener, this, data);
		this._fire(...data);
		if (this.#pid && typeof data.at(-1) === "string") this.#offset = data.at(-1);
	}

	#write(packet) {
		this.io._write(encodePacket({ nsp: this.nsp, ...packet }));
	}

	#writeEvent(packet) {
		for (const listener of this.#outgoing) call(listener, this, packet.data);
		this.#write(packet);
	}

	#replier(id) {
		let replied = false;
		return (...data) => {
			if (!replied && this.connected) this.#write({ type: Type.ACK, id, data });
			replied = true;
		};
	}

	#expect(done, timeout) {
		const id = this.#nextID++;
		const ack = { done, fails: done.fails };
		if (timeout !== undefined) {
			ack.fails = true;
			ack.timer = setTimeout(() => this.#timedOut(id, done), timeout);
		}
		this.#acks.set(id, ack);
		return id;
	}

	#timedOut(id, done) {
		this.#acks.delete(id);
		this.#unsent = this.#unsent.filter((packet) => packet.id !== id);
		call(done, this, [new Error("operation has timed out")]);
	}

	#acked(id, data) {
		const ack = this.#acks.get(id);
		if (!ack) return;
		this.#acks.delete(id);
		clearTimeout(ack.timer);
		call(ack.done, this, ack.fails ? [null, ...data] : data);
	}

	// What was sent will not be answered any more; what waits to be sent still may.
	#failAcks() {
		const waiting = new Set(this.#unsent.map((packet) => packet.id));
		for (const [id, { done, fails, timer }] of this.#acks) {
			if (waiting.has(id)) continue;
			this.#acks.delete(id);
			clearTimeout(timer);
			if (fails) call(done, this, [new Error("socket has been disconnected")]);
		}
	}
}
