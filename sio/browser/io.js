// A Socket.IO client for browsers: Socket.IO protocol 5 over Engine.IO protocol 4, by polling (fetch) and by
// WebSocket. Plain JavaScript, to be read and served as it is.
//
//	import { io } from "/socket.io/socket.io.esm.js";
//	const socket = io("/chat", { auth: { token } });
//	socket.on("message", (text, bytes) => ...);     // binary comes as ArrayBuffer
//	const reply = await socket.timeout(5000).emitWithAck("upload", input.files[0]);
//
// Names, options, defaults and reasons of disconnect are those of socket.io-client 4.8. What differs:
//
//   - A Blob or File is handed to the WebSocket as it is, so that sending one takes no memory. On polling it
//     is read and encoded, but one too large for a POST waits while an upgrade to WebSocket is being tried.
//   - A volatile event is dropped while 64 KiB or more wait to leave, so that latency cannot grow.
//   - A listener that throws is reported and stops nobody else.
//   - Left out: retries, custom parsers, WebTransport.
//
// Bottom up: emitter, packet (what goes over the wire), polling and websocket (the transports), engine (a
// connection), socket (a namespace on it), manager (keeps the connection up), io.
//
// https://socket.io/docs/v4/engine-io-protocol/ and https://socket.io/docs/v4/socket-io-protocol/

import { Emitter } from "./emitter.js";
import { Manager } from "./manager.js";
import { Socket } from "./socket.js";

const managers = new Map(); // by server

/**
 * io returns the socket of a namespace, which is the path of uri; where on the server Socket.IO is found is
 * opts.path. The sockets of one server share a connection, unless forceNew is set or multiplex is false.
 */
export function io(uri, opts = {}) {
	if (typeof uri === "object") [uri, opts] = [undefined, uri];
	const url = parse(uri ?? "/");
	if (url.search) opts = { query: Object.fromEntries(url.searchParams), ...opts };
	const namespace = url.pathname;
	const server = `${url.origin}${opts.path ?? ""}`;
	const shared = managers.get(server);
	if (opts.forceNew || opts.multiplex === false || shared?.has(namespace)) {
		return new Manager(url.origin, opts).socket(namespace, opts);
	}
	const manager = shared ?? new Manager(url.origin, opts);
	managers.set(server, manager);
	return manager.socket(namespace, opts);
}

/** parse takes what people write: "/chat", "https://host/chat", "wss://host", "//host", "host:3000". */
function parse(uri) {
	const scheme = globalThis.location?.protocol ?? "https:";
	let text = uri.replace(/^ws(?=s?:\/\/)/, "http");
	if (text.startsWith("//")) text = scheme + text;
	else if (!/^(\/|https?:\/\/)/.test(text)) text = `${scheme}//${text}`;
	return new URL(text, globalThis.location?.origin);
}

export const protocol = 5;

Object.assign(io, { io, connect: io, Manager, Socket, protocol });

export { io as default, io as connect, Emitter, Manager, Socket };
