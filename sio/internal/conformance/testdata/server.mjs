// What clients_test.go serves, on Node's own server: so that the checks are known to be right. It prints its address, and where
// to ask for all connections to be cut.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { Server } from "socket.io";

const parser = process.argv[2] && createRequire(import.meta.url)(process.argv[2]);
const http = createServer((_, response) => response.writeHead(404).end());
const io = new Server(http, { allowEIO3: true, connectionStateRecovery: {}, ...(parser && { parser }) });

const connections = new Set();
http.on("connection", (c) => connections.add(c.on("close", () => connections.delete(c))));
const control = createServer((_, response) => {
	connections.forEach((c) => c.destroy());
	response.end();
});

io.on("connection", (socket) => {
	socket.on("hi", () => socket.emit("hi"));
	socket.on("getUtf8", () => socket.emit("takeUtf8", "てすと"));
	socket.on("echo", (x, ack) => ack(x));
	socket.on("ack", () => socket.emit("ack", (a, b) => a === 5 && b.test && socket.emit("got it")));
	socket.on("doge", () => socket.emit("doge", Buffer.from("asdfasdf")));
	socket.on("jsonbuff", (o) => Buffer.isBuffer(o.message) && socket.emit("jsonbuff-ack"));
});
const recovery = io.of("/recovery");
recovery.on("connection", (socket) => {
	socket.join("watchers");
	if (!socket.recovered) socket.emit("first");
	socket.on("disconnect", () => recovery.to("watchers").emit("missed", 1, Buffer.from([7, 8, 9])));
});

for (const server of [http, control]) {
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	console.log(`http://127.0.0.1:${server.address().port}`);
}
process.stdin.resume().on("end", () => process.exit());
