import { Emitter } from "./emitter.js";
import { describe, Frame, frameSize } from "./packet.js";
import { Polling, postSize, transportError } from "./polling.js";
import { WebSocketTransport } from "./websocket.js";
import { WebTransportStream } from "./webtransport.js";

const TRANSPORTS = { polling: Polling, websocket: WebSocketTransport, webtransport: WebTransportStream };

// A volatile event is dropped while this many bytes or more wait to leave.
const VOLATILE_BYTES = 64 * 1024;

// How many ms WebTransport is ahead where a WebSocket would be an upgrade, too.
const HEAD_START = 200;

// Whether the last connection reached a server by WebSocket, for rememberUpgrade.
let websocketWorked = false;

// The engines that end when the network goes. A service worker may add such listeners only while it starts.
const online = new Set();
globalThis.addEventListener?.("offline", () => {
	for (const end of online) end();
});

/**
 * Engine is one connection: the handshake, the heartbeat, the upgrade from polling to a WebSocket or WebTransport, and the
 * queue of what is to be sent. Events: open, handshake (its data), message (a string or an ArrayBuffer), ping, upgrading and
 * upgrade (the transport), upgradeError (error), drain, packet and packetCreate ({type, data}), error (error), and once close
 * (reason, details).
 */
export class Engine extends Emitter {
	/** transport is the one in use; its bufferedAmount, or the engine's, lets a sender pace itself. */
	transport;
	/** id is the server's name for this connection; a secret. */
	id;
	/** maxPayload is how many bytes the server reads of one POST. */
	maxPayload = Infinity;
	/** readyState is opening, open, closing (sends what is queued), or closed. */
	readyState = "opening";

	#base;
	#transports; // names, the next to try first
	#queue = [];
	#probes = new Set(); // transports that may follow this one
	#switching = false; // between a probe's answer and the upgrade nothing is sent
	#patience; // how many ms may pass without a sign of life
	#timer;
	#deadline = Infinity; // when the timer should have fired: timers of a device that sleeps are late

	constructor(base, opts) {
		super();
		this.#base = base;
		this.opts = { upgrade: true, ...opts };
		this.#transports = [...(this.opts.transports ?? Object.keys(TRANSPORTS))];
		const { rememberUpgrade, closeOnBeforeunload } = this.opts;
		this.#open(rememberUpgrade && websocketWorked && this.#transports.includes("websocket") ? "websocket" : this.#transports[0]);
		if (base.hostname !== "localhost") online.add(this.#offline);
		if (closeOnBeforeunload) globalThis.addEventListener?.("beforeunload", this.#unload);
	}

	/** bufferedAmount is how many bytes have not left yet, here and in the transport. */
	get bufferedAmount() {
		return this.#queue.reduce((sum, frame) => sum + frameSize(frame), this.transport.bufferedAmount);
	}

	/** writable is whether what is sent now leaves soon. */
	get writable() {
		return this.readyState === "open" && this.transport.writable && !this.#switching && this.bufferedAmount < VOLATILE_BYTES;
	}

	/** write sends messages that belong together, with none between. */
	write(messages) {
		if (this.readyState !== "open") return;
		const frames = messages.map((message) => (typeof message === "string" ? Frame.MESSAGE + message : message));
		for (const frame of frames) this._fire("packetCreate", describe(frame));
		this.#queue.push(...frames);
		this.#flush();
	}

	/** close sends what is queued, then closes. */
	close() {
		if (this.readyState === "opening") this.#end("forced close");
		if (this.readyState !== "open") return;
		this.readyState = "closing";
		this.#flush();
	}

	/** options are those of a transport. */
	options(transport) {
		return { ...this.opts, ...this.opts.transportOptions?.[transport] };
	}

	/** url is where a transport finds this connection. WebTransport has no query: the id goes in its first frame. */
	url(transport) {
		const url = new URL(this.#base);
		if (transport === "webtransport") {
			url.protocol = "https:";
			return url.href;
		}
		if (transport === "websocket") url.protocol = url.protocol.replace("http", "ws");
		const { query } = this.options(transport);
		const given = typeof query === "string" ? Object.fromEntries(new URLSearchParams(query)) : query;
		const all = { ...given, EIO: 4, transport, ...(this.id && { sid: this.id }) };
		for (const [key, value] of Object.entries(all)) url.searchParams.set(key, value);
		return url.href;
	}

	/** _stale is whether the server has been silent for too long, though no timer said so yet: then this is the end. */
	_stale() {
		const stale = Date.now() > this.#deadline;
		if (stale) queueMicrotask(() => this.#end("ping timeout"));
		return stale;
	}

	#open(name) {
		this.transport = this.#create(name);
		this.transport.on = this.#handlers();
		this.transport.open();
	}

	#create(name) {
		if (!TRANSPORTS[name]) throw new Error(`unknown transport "${name}"`);
		return new TRANSPORTS[name](this);
	}

	#handlers() {
		return {
			frame: (frame) => this.#receive(frame),
			drain: () => this.#flush(),
			close: (reason, details) => this.#lost(reason, details),
		};
	}

	#offline = () => this.#end("transport close", { description: "network connection lost" });

	// Nobody on the page shall hear of it, which is about to be gone.
	#unload = () => {
		this.transport.on = {};
		this.transport.close(true);
	};

	#receive(frame) {
		this.#heartbeat();
		const packet = describe(frame);
		this._fire("packet", packet);
		switch (packet.type) {
			case "open":
				return this.#opened(packet.data);
			case "close":
				return this.#end("transport close", { description: "transport closed by the server" });
			case "ping":
				this.#queue.unshift(Frame.PONG); // what is held back must not hold it back
				this._fire("packetCreate", describe(Frame.PONG));
				this.#flush();
				return this._fire("ping");
			case "message":
				return this._fire("message", packet.data);
			case "noop":
				return;
		}
		this.#lost("transport error", Object.assign(new Error("server error"), { code: "parser error" }));
	}

	#opened(json) {
		let upgrades;
		try {
			const handshake = JSON.parse(json);
			this._fire("handshake", handshake);
			upgrades = handshake.upgrades.filter((name) => this.opts.upgrade && this.#transports.includes(name));
			this.id = handshake.sid;
			this.maxPayload = handshake.maxPayload ?? Infinity;
			this.#patience = handshake.pingInterval + handshake.pingTimeout;
		} catch (err) {
			return this.#end("parse error", err);
		}
		this.readyState = "open";
		websocketWorked = this.transport.name === "websocket";
		this.#heartbeat();
		for (const name of upgrades) this.#probe(name, name === "websocket" && upgrades.includes("webtransport") ? HEAD_START : 0);
		this._fire("open");
	}

	// Any frame is a sign of life, not only a ping: behind a long transfer pings come late.
	#heartbeat() {
		if (this.readyState !== "open" && this.readyState !== "closing") return;
		clearTimeout(this.#timer);
		this.#deadline = Date.now() + this.#patience;
		this.#timer = setTimeout(() => this.#end("ping timeout"), this.#patience);
	}

	/** probe tries a transport beside the polling, which goes on meanwhile. */
	#probe(name, delay) {
		const probe = this.#create(name);
		probe.on = {
			open: () => probe.take([`${Frame.PING}probe`]),
			frame: (frame) => (frame === `${Frame.PONG}probe` ? this.#upgrade(probe) : this.#giveUp(probe)),
			close: (_, details) => this.#giveUp(probe, details),
		};
		this.#probes.add(probe);
		websocketWorked = false;
		if (delay) setTimeout(() => this.#probes.has(probe) && probe.open(), delay);
		else probe.open();
	}

	async #upgrade(probe) {
		for (const other of this.#probes) if (other !== probe) other.close();
		this.#probes = new Set([probe]);
		this.#switching = true;
		this._fire("upgrading", probe);
		await this.transport.pause();
		if (!this.#probes.delete(probe) || this.readyState === "closed") return;
		this.transport = probe;
		probe.on = this.#handlers();
		probe.take([Frame.UPGRADE]);
		this.#switching = false;
		websocketWorked = probe.name === "websocket";
		this._fire("upgrade", probe);
		this.#flush();
	}

	async #giveUp(probe, details) {
		if (!this.#probes.delete(probe)) return;
		probe.close();
		this._fire("upgradeError", Object.assign(new Error("probe error"), { transport: probe.name, details }));
		if (this.#switching) {
			await this.transport.pause();
			this.transport.resume();
			this.#switching = false;
		}
		this.#flush();
	}

	#flush() {
		if (this.readyState !== "open" && this.readyState !== "closing") return;
		if (this.#switching || !this.transport.writable) return;
		const leaving = this.#queue.splice(0, this.#mayLeave());
		if (leaving.length) this.transport.take(leaving);
		this.#queue.unshift(...leaving); // what did not fit
		if (this.#queue.length || !this.transport.writable) return;
		if (this.readyState === "closing") this.#end("forced close");
		else this._fire("drain");
	}

	// As base64 in a POST a large message takes much memory, and servers may refuse it: better to wait for the upgrade if one
	// is being tried. An event waits as a whole: one that has begun is finished first, and an upgrade may wait for that.
	#mayLeave() {
		if (!this.#probes.size) return this.#queue.length;
		const large = this.#queue.findIndex((frame) => postSize(frame) > this.maxPayload);
		if (large < 0) return this.#queue.length;
		const begin = this.#queue.slice(0, large + 1).findLastIndex((frame) => typeof frame === "string");
		return begin < 0 ? this.#queue.length : begin;
	}

	/** lost is the end, unless another transport can be tried. */
	#lost(reason, details) {
		if (reason === "transport error") websocketWorked = false;
		const others = this.#transports.filter((name) => name !== this.transport.name);
		if (!this.opts.tryAllTransports || this.readyState !== "opening" || !others.length) return this.#end(reason, details);
		this.#transports = others;
		this.#open(others[0]);
	}

	#end(reason, details) {
		if (this.readyState === "closed") return;
		const tell = this.readyState === "closing";
		this.readyState = "closed";
		clearTimeout(this.#timer);
		online.delete(this.#offline);
		globalThis.removeEventListener?.("beforeunload", this.#unload);
		this.#queue.length = 0;
		for (const probe of this.#probes) probe.close();
		this.#probes.clear();
		this.transport.close(tell);
		if (reason === "transport error") this._fire("error", details);
		this._fire("close", reason, details);
	}
}
