import { Emitter } from "./emitter.js";
import { Frame, frameSize } from "./packet.js";
import { Polling, postSize, transportError } from "./polling.js";
import { WebSocketTransport } from "./websocket.js";

const TRANSPORTS = { polling: Polling, websocket: WebSocketTransport };

// A volatile event is dropped while this many bytes or more wait to leave.
const VOLATILE_BYTES = 64 * 1024;

/**
 * Engine is one connection: the handshake, the heartbeat, the upgrade from polling to WebSocket, and the queue
 * of what is to be sent. Events: open, message (a string or an ArrayBuffer), ping, upgrade (the transport),
 * drain, and once close (reason, error).
 */
export class Engine extends Emitter {
	/** transport is the one in use; its bufferedAmount, or the engine's, lets a sender pace itself. */
	transport;
	/** id is the server's name for this connection; a secret. */
	id;
	/** maxPayload is how many bytes the server reads of one POST. */
	maxPayload = Infinity;

	#base;
	#state = "opening"; // open, closing (sends what is queued), closed
	#queue = [];
	#candidate; // a WebSocket that is being probed
	#switching = false; // between the probe's answer and the upgrade nothing is sent
	#patience; // how many ms may pass without a sign of life
	#timer;

	constructor(base, opts) {
		super();
		this.#base = base;
		this.opts = { transports: ["polling", "websocket"], upgrade: true, ...opts };
		this.transport = this.#create(this.opts.transports[0]);
		this.transport.on = this.#handlers();
		this.transport.open();
		globalThis.addEventListener?.("offline", this.#offline);
	}

	/** bufferedAmount is how many bytes have not left yet, here and in the transport. */
	get bufferedAmount() {
		return this.#queue.reduce((sum, frame) => sum + frameSize(frame), this.transport.bufferedAmount);
	}

	/** writable is whether what is sent now leaves soon. */
	get writable() {
		return this.#state === "open" && this.transport.writable && !this.#switching && this.bufferedAmount < VOLATILE_BYTES;
	}

	/** write sends a text message and the binary ones that belong to it, with none between. */
	write([text, ...attachments]) {
		if (this.#state !== "open") return;
		this.#queue.push(Frame.MESSAGE + text, ...attachments);
		this.#flush();
	}

	/** close sends what is queued, then closes. */
	close() {
		if (this.#state === "opening") this.#end("forced close");
		if (this.#state !== "open") return;
		this.#state = "closing";
		this.#flush();
	}

	/** url is where a transport finds this connection. */
	url(transport) {
		const url = new URL(this.#base);
		if (transport === "websocket") url.protocol = url.protocol.replace("http", "ws");
		const query = { ...this.opts.query, EIO: 4, transport, ...(this.id && { sid: this.id }) };
		for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
		return url.href;
	}

	#create(name) {
		if (!TRANSPORTS[name]) throw new Error(`unknown transport "${name}"`);
		return new TRANSPORTS[name](this);
	}

	#handlers() {
		return {
			frame: (frame) => this.#receive(frame),
			drain: () => this.#flush(),
			close: (reason, error) => this.#end(reason, error),
		};
	}

	#offline = () => this.#end("transport close", transportError("network connection lost"));

	#receive(frame) {
		this.#heartbeat();
		if (typeof frame !== "string") return this._fire("message", frame);
		switch (frame[0]) {
			case Frame.OPEN:
				return this.#opened(frame.slice(1));
			case Frame.CLOSE:
				return this.#end("transport close", transportError("transport closed by the server"));
			case Frame.PING:
				this.#queue.unshift(Frame.PONG); // what is held back must not hold it back
				this.#flush();
				return this._fire("ping");
			case Frame.MESSAGE:
				return this._fire("message", frame.slice(1));
			case Frame.NOOP:
				return;
		}
		this.#end("parse error", transportError("unknown packet", frame));
	}

	#opened(json) {
		try {
			const { sid, upgrades, pingInterval, pingTimeout, maxPayload } = JSON.parse(json);
			this.id = sid;
			this.maxPayload = maxPayload ?? Infinity;
			this.#patience = pingInterval + pingTimeout;
			this.#state = "open";
			this.#heartbeat();
			if (this.#mayUpgrade(upgrades)) this.#probe();
		} catch (err) {
			return this.#end("parse error", err);
		}
		this._fire("open");
	}

	// Any frame is a sign of life, not only a ping: behind a long transfer pings come late.
	#heartbeat() {
		if (this.#state !== "open" && this.#state !== "closing") return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#end("ping timeout"), this.#patience);
	}

	#mayUpgrade(upgrades) {
		const { transports, upgrade } = this.opts;
		return upgrade && this.transport.name === "polling" && upgrades.includes("websocket") && transports.includes("websocket");
	}

	/** probe tries a WebSocket beside the polling, which goes on meanwhile. */
	#probe() {
		const candidate = this.#create("websocket");
		candidate.on = {
			open: () => candidate.take([`${Frame.PING}probe`]),
			frame: (frame) => (frame === `${Frame.PONG}probe` ? this.#upgrade() : this.#giveUp()),
			close: () => this.#giveUp(),
		};
		this.#candidate = candidate;
		candidate.open();
	}

	async #upgrade() {
		const polling = this.transport;
		this.#switching = true;
		await polling.pause();
		if (!this.#candidate || this.#state === "closed") return;
		this.transport = this.#candidate;
		this.transport.on = this.#handlers();
		this.transport.take([Frame.UPGRADE]);
		this.#candidate = undefined;
		this.#switching = false;
		this._fire("upgrade", this.transport);
		this.#flush();
	}

	async #giveUp() {
		this.#candidate?.close();
		this.#candidate = undefined;
		if (this.#switching) {
			await this.transport.pause();
			this.transport.resume();
			this.#switching = false;
		}
		this.#flush();
	}

	#flush() {
		if (this.#state !== "open" && this.#state !== "closing") return;
		if (this.#switching || !this.transport.writable) return;
		const leaving = this.#queue.splice(0, this.#mayLeave());
		if (leaving.length) this.transport.take(leaving);
		this.#queue.unshift(...leaving); // what did not fit
		if (this.#queue.length || !this.transport.writable) return;
		if (this.#state === "closing") this.#end("forced close");
		else this._fire("drain");
	}

	// As base64 in a POST a large message takes much memory, and servers may refuse it: better to wait for the upgrade if one
	// is being tried. An event waits as a whole: one that has begun is finished first, and an upgrade may wait for that.
	#mayLeave() {
		if (!this.#candidate) return this.#queue.length;
		const large = this.#queue.findIndex((frame) => postSize(frame) > this.maxPayload);
		if (large < 0) return this.#queue.length;
		const begin = this.#queue.slice(0, large + 1).findLastIndex((frame) => typeof frame === "string");
		return begin < 0 ? this.#queue.length : begin;
	}

	#end(reason, error) {
		if (this.#state === "closed") return;
		const tell = this.#state === "closing";
		this.#state = "closed";
		clearTimeout(this.#timer);
		globalThis.removeEventListener?.("offline", this.#offline);
		this.#queue.length = 0;
		this.#candidate?.close();
		this.transport.close(tell);
		this._fire("close", reason, error);
	}
}
