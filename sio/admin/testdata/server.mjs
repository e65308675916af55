// The application of node_test.go on Node's own server, with the server half of npm's package. It prints its port.
import { createServer } from "node:http";
import { instrument } from "@socket.io/admin-ui";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);
instrument(io, { auth: false, mode: "development", serverId: "one" });
io.on("connection", (socket) => {
	socket.on("enter", (room, ack) => {
		socket.join(room);
		socket.data.name = "Ada";
		socket.emit("welcome", { to: room }, 1);
		ack();
	});
	socket.on("go", (room) => {
		socket.leave(room);
		socket.disconnect();
	});
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
process.stdin.resume().on("end", () => process.exit());
