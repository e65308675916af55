// Socket.IO's own server as the room relay of ../../relay.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Server } from "socket.io";

const { values } = parseArgs({
	options: { addr: { type: "string" }, deflate: { type: "boolean" }, max: { type: "string", default: String(16 << 20) } },
});
const [, host, port] = values.addr.match(/^(.*):(\d+)$/);

const http = createServer();
const io = new Server(http, { maxHttpBufferSize: Number(values.max), perMessageDeflate: values.deflate ?? false });
io.on("connection", (socket) => {
	socket.on("join", (room, ack) => {
		socket.join(room);
		ack();
	});
	socket.on("chunk", (room, meta, bytes) => socket.to(room).emit("chunk", meta, bytes));
	socket.on("upload", (meta, bytes, ack) => ack());
});
http.listen(Number(port), host);

setFlagsFromString("--expose-gc");
process.on("SIGUSR2", runInNewContext("gc"));
