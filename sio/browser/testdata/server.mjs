// The application that the suite talks to, on Node's own Socket.IO server. It prints the ports of one server, of
// one that recovers connections, and of one that speaks msgpack. application_test.go is the same on ours.
import { createServer } from "node:http";
import { Server } from "socket.io";
import parser from "socket.io-msgpack-parser";

for (const more of [{}, { connectionStateRecovery: {} }, { parser }]) console.log(await serve(more));
process.stdin.resume().on("end", () => process.exit());

/** serve resolves with the port. */
function serve(more) {
	const http = createServer((_, response) => response.writeHead(404).end());
	const cors = { origin: true, credentials: true };
	answer(new Server(http, { pingInterval: 300, pingTimeout: 3000, maxHttpBufferSize: 100_000, cors, ...more }));
	return new Promise((resolve) => http.listen(0, "127.0.0.1", () => resolve(http.address().port)));
}

function answer(io) {
	const tries = new Map();
	io.on("connection", (socket) => {
		socket.on("echo", (...args) => args.pop()(...args));
		socket.on("bounce", (...args) => socket.emit("bounced", ...args));
		socket.on("size", (bytes, text, ack) => ack?.(bytes.length + Buffer.byteLength(text)));
		socket.on("ask", (text) => socket.emit("question", text, (...answer) => socket.emit("answered", ...answer)));
		socket.on("knows", (id, ack) => ack(io.sockets.sockets.has(id)));
		socket.on("flaky", (key, ack) => {
			tries.set(key, (tries.get(key) ?? 0) + 1);
			if (tries.get(key) >= 3) ack(tries.get(key));
		});
		socket.on("handshake", (ack) => {
			const { query, auth, headers } = socket.handshake;
			ack({ x: query.x ?? "", auth, header: headers["x-suite"] ?? "", cookie: headers.cookie ?? "" });
		});
		// Events wait for the next tick, and are dropped when the client has said goodbye by then. Middleware does not wait.
		socket.use(([name, what], next) => {
			if (name === "shout") socket.broadcast.emit("shouted", what);
			next();
		});
		socket.on("goodbye", () => socket.disconnect());
		socket.on("cut", () => socket.conn.close());
	});
	const admin = io.of("/admin");
	admin.use((socket, next) => {
		if (socket.handshake.auth.token === "secret") return next();
		next(Object.assign(new Error("not allowed"), { data: { why: "token" } }));
	});
	admin.on("connection", (socket) => socket.on("echo", (...args) => args.pop()(...args)));
}
