// The application that suite.js talks to, on Node's own Socket.IO server. It prints its port.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer((request, response) => {
	if (request.url.startsWith("/scripted/")) scripted(request, response);
	else response.writeHead(404).end();
});
const io = new Server(http, { pingInterval: 300, pingTimeout: 1000, maxHttpBufferSize: 100_000, cors: { origin: "*" } });

io.on("connection", (socket) => {
	socket.on("echo", (...args) => args.pop()(...args));
	socket.on("bounce", (...args) => socket.emit("bounced", ...args));
	socket.on("size", (bytes, text, ack) => ack?.(bytes.length + Buffer.byteLength(text)));
	socket.on("ask", (text) => socket.emit("question", text, (...answer) => socket.emit("answered", ...answer)));
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

// scripted is a server of its own: it accepts the first namespace, says what ?say= holds, and falls silent.
const turns = new Map();
function scripted(request, response) {
	const query = new URL(request.url, "http://localhost").searchParams;
	const sid = query.get("sid") ?? String(turns.size);
	const turn = turns.get(sid) ?? 0;
	response.setHeader("Access-Control-Allow-Origin", "*");
	if (request.method === "OPTIONS") return response.setHeader("Access-Control-Allow-Headers", "*").end();
	if (request.method === "POST") return response.end("ok");
	turns.set(sid, turn + 1);
	const handshake = { sid, upgrades: [], pingInterval: 150, pingTimeout: 150, maxPayload: 1000 };
	if (turn === 0) response.end(`0${JSON.stringify(handshake)}`);
	if (turn === 1) response.end('40{"sid":"s"}');
	if (turn === 2 && query.has("say")) response.end(query.get("say"));
}

http.listen(process.argv[2] ?? 0, "127.0.0.1", () => console.log(http.address().port));
