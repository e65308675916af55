import { callAll, Emitter, without } from "./emitter.js";
import { RESERVED, Type } from "./packet.js";

/**
 * Socket is a namespace on a manager's connection. Events: connect, connect_error (error), disconnect (reason,
 * details), and those of the server.
 */
export class Socket extends Emitter {
	connected = false;
	/** recovered is whether this connection goes on where the last one ended, missed events included. */
	recovered = false;
	/** id is the server's name for this socket; every connection gets a new one, unless it is recovered. */
	id;
	/** sendBuffer has the events emitted while not connected. Emptied, they are not sent. */
	sendBuffer = [];
	/** receiveBuffer has the arguments of events that came before the server's answer. */
	receiveBuffer = [];

	#opts;
	#active = false;
	#asked = false; // CONNECT was sent, and is not answered yet
	#queue = []; // with retries: events that wait for their ack, of which the first is on its way
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
		this.#opts = opts;
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

	/** compress is what a browser decides by itself; it is here for programs that run elsewhere, too. */
	compress() {
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
		const flags = this.#flags;
		this.#flags = {};
		const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
		const data = [event, ...args];
		if (this.#opts.retries && !flags.volatile) {
			this.#queue.push({ data, ack, flags, tries: 0, pending: false });
			this.#next();
		} else this.#emit(data, ack, flags);
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
		this.#incoming = listener ? without(this.#incoming, listener) : [];
		return this;
	}

	prependAny(listener) {
		this.#incoming = [listener, ...this.#incoming];
		return this;
	}

	listenersAny() {
		return this.#incoming;
	}

	/** onAnyOutgoing adds a listener for whatever event is sent. */
	onAnyOutgoing(listener) {
		this.#outgoing = [...this.#outgoing, listener];
		return this;
	}

	offAnyOutgoing(listener) {
		this.#outgoing = listener ? without(this.#outgoing, listener) : [];
		return this;
	}

	prependAnyOutgoing(listener) {
		this.#outgoing = [listener, ...this.#outgoing];
		return this;
	}

	listenersAnyOutgoing() {
		return this.#outgoing;
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

	/** _failed says that the connection could not be made, or was lost before this socket had it. */
	_failed(err) {
		if (!this.connected) this._fire("connect_error", err);
	}

	/** _closed says that the connection is gone. */
	_closed(reason, details) {
		this.#asked = false;
		this.receiveBuffer = [];
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
				if (id !== undefined) data.push(this.#replier(id));
				if (this.connected) this.#received(data);
				else this.receiveBuffer.push(data);
				return;
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
		for (const args of this.receiveBuffer.splice(0)) this.#received(args);
		for (const packet of this.sendBuffer.splice(0)) this.#writeEvent(packet);
		this.#next();
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
		callAll(this.#incoming, this, data);
		this._fire(...data);
		if (this.#pid && typeof data.at(-1) === "string") this.#offset = data.at(-1);
	}

	#write(packet) {
		this.io._write({ nsp: this.nsp, ...packet });
	}

	#writeEvent(packet) {
		callAll(this.#outgoing, this, packet.data);
		this.#write(packet);
	}

	#emit(data, ack, { volatile, timeout = this.#opts.ackTimeout }) {
		const packet = { type: Type.EVENT, data, ...(ack && { id: this.#expect(ack, timeout) }) };
		const { engine } = this.io;
		if (volatile && !(this.connected && engine.writable)) return;
		if (this.connected && !engine._stale()) this.#writeEvent(packet);
		else this.sendBuffer.push(packet);
	}

	/** next sends the first event of the queue, unless it waits for its ack already. */
	#next() {
		const entry = this.#queue[0];
		if (!entry || !this.connected || entry.pending) return;
		entry.pending = true;
		entry.tries++;
		const done = (err, ...values) => {
			entry.pending = false;
			if (!err || entry.tries > this.#opts.retries) {
				this.#queue.shift();
				if (entry.ack) callAll([entry.ack], this, err ? [err] : [null, ...values]);
			}
			this.#next();
		};
		done.fails = true;
		this.#emit(entry.data, done, entry.flags);
	}

	#replier(id) {
		let { engine } = this.io;
		return (...data) => {
			if (engine === this.io.engine && this.connected) this.#write({ type: Type.ACK, id, data });
			engine = undefined; // one reply is enough, and on another connection it would answer something else
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
		this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
		callAll([done], this, [new Error("operation has timed out")]);
	}

	#acked(id, data) {
		const ack = this.#acks.get(id);
		if (!ack) return;
		this.#acks.delete(id);
		clearTimeout(ack.timer);
		callAll([ack.done], this, ack.fails ? [null, ...data] : data);
	}

	// What was sent will not be answered any more; what waits to be sent still may.
	#failAcks() {
		const waiting = new Set(this.sendBuffer.map((packet) => packet.id));
		for (const [id, { done, fails, timer }] of this.#acks) {
			if (waiting.has(id)) continue;
			this.#acks.delete(id);
			clearTimeout(timer);
			if (fails) callAll([done], this, [new Error("socket has been disconnected")]);
		}
	}
}
