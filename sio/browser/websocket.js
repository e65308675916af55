import { transportError } from "./polling.js";

/** WebSocketTransport carries each frame as a message. A Blob is handed over unread. */
export class WebSocketTransport {
	name = "websocket";
	on = {};

	#engine;
	#ws;
	#closed = false;

	constructor(engine) {
		this.#engine = engine;
	}

	/** bufferedAmount is how many bytes the WebSocket has yet to send. */
	get bufferedAmount() {
		return this.#ws?.bufferedAmount ?? 0;
	}

	get writable() {
		return this.#ws?.readyState === 1 && !this.#closed;
	}

	open() {
		const { WebSocket = globalThis.WebSocket, protocols = [] } = this.#engine.options(this.name);
		let ws;
		try {
			ws = new WebSocket(this.#engine.url(this.name), protocols);
		} catch (err) {
			return queueMicrotask(() => this.#end("transport error", transportError("websocket error", err)));
		}
		ws.binaryType = "arraybuffer";
		ws.onopen = () => this.on.open?.();
		ws.onmessage = ({ data }) => !this.#closed && this.on.frame?.(data);
		ws.onerror = (event) => this.#end("transport error", transportError("websocket error", event));
		ws.onclose = (event) => this.#end("transport close", { description: "websocket connection closed", context: event });
		this.#ws = ws;
	}

	take(queue) {
		for (const frame of queue.splice(0)) this.#ws.send(frame);
	}

	/** close lets the WebSocket send what it holds. */
	close() {
		this.#closed = true;
		this.#ws?.close();
	}

	#end(reason, error) {
		if (this.#closed) return;
		this.close();
		this.on.close?.(reason, error);
	}
}
