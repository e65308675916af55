// A Socket.IO client for browsers: Socket.IO protocol 5 over Engine.IO protocol 4, by polling (fetch), WebSocket and
// WebTransport. Plain JavaScript, to be read here; what is served is made from it.
//
//	import { io } from "/socket.io/socket.io.esm.js";
//	const socket = io("/chat", { auth: { token } });
//	socket.on("message", (text, bytes) => ...);     // binary comes as ArrayBuffer
//	const reply = await socket.timeout(5000).emitWithAck("upload", input.files[0]);
//
// Names, options, defaults, events, their order, and reasons of disconnect are those of socket.io-client 4.8. What differs:
//
//   - A Blob or File is handed to the WebSocket as it is, so that sending one takes no memory. On polling it
//     is read and encoded, but one too large for a POST waits while an upgrade is being tried. A POST is filled to the byte.
//   - A volatile event is dropped while not connected, and while 64 KiB or more wait to leave, so that latency cannot grow.
//   - Any message is a sign of life of the server's, not only a ping.
//   - A listener that throws is reported and stops nobody else.
//   - No "disconnect" comes without a "connect" before it. An answer to a question of an earlier connection is not sent.
//   - An event without a name, or an ack without arguments, is a "parse error".
//   - Polling uses fetch: a lost GET is aborted, and err.context has status and responseText, but is no XMLHttpRequest.
//   - More: engine.bufferedAmount and writable, by which a sender may pace itself; Emitter; the option WebSocket.
//   - Left out: transports as classes (transportImplementations, XHR, Fetch and so on); forceBase64, timestampRequests and
//     timestampParam (no answer is cached), useNativeTimers; host, hostname, port and secure, which the URL has; what Node's
//     version of it has for TLS, agents, cookies and autoUnref; perMessageDeflate and compress, which browsers decide; the
//     engine's binaryType (it is ArrayBuffer), writeBuffer, write and send, and its events flush, heartbeat, pong and data.
//
// Bottom up: emitter, packet (what goes over the wire), polling, websocket and webtransport (the transports), engine (a
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
	if (typeof uri === "object") [uri, opts] = [undefined, uri ?? opts];
	const { url, namespace } = parse(uri ?? "/");
	if (url.search) opts = { query: Object.fromEntries(url.searchParams), ...opts };
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
	const { protocol = "https:", origin = "" } = globalThis.location ?? {};
	let text = uri.replace(/^ws(?=s?:\/\/)/, "http");
	if (text.startsWith("//")) text = protocol + text;
	else if (text.startsWith("/")) text = origin + text;
	else if (!/^https?:/.test(text)) text = `${protocol}//${text}`;
	const [, path] = /^\w+:\/\/[^/?#]*([^?#]*)/.exec(text); // as it is written: a URL's is encoded
	return { url: new URL(text), namespace: path || "/" };
}

export const protocol = 5;

Object.assign(io, { io, connect: io, Manager, Socket, protocol });

export { io as default, io as connect, Emitter, Manager, Socket };
