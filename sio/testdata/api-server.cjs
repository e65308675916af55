// Node's own server, doing what api.cjs asks for: nodeapi_test.go is the same on ours. It prints its port, and serves until its
// standard input ends.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http);

const rooms = io.of(/^\/room-\d+$/);
rooms.on("connection", (socket) => {
  socket.on("where", (ack) => ack([socket.nsp.name, socket.nsp.sockets.size]));
  socket.on("tell all rooms", (data) => rooms.emit("all rooms", data));
});

io.on("connection", (socket) => {
  socket.data = { name: socket.handshake.auth.name };
  const seen = [];
  let calls = 0;
  socket.onAny((name) => seen.push(name));
  socket.use(([name, ...args], next) => {
    if (name !== "forbidden") return next();
    args.pop()({ error: name });
    next(new Error(name));
  });
  socket.on("seen", (ack) => ack(seen));
  socket.on("mine", (ack) => ack(++calls));
  socket.on("sync", (ack) => ack());
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack();
  });
  const vote = (room, question, ms) => io.to(room).timeout(ms).emitWithAck("vote", question);
  socket.on("call a vote", async (room, question, ack) => ack(await vote(room, question, 10_000)));
  socket.on("call a short vote", (room, question, ack) => {
    const asked = io.sockets.adapter.rooms.get(room).size;
    vote(room, question, 3000).catch((err) => ack([err.responses, asked - err.responses.length]));
  });
  socket.on("ask me shortly", (ack) => {
    socket.timeout(50).emitWithAck("question").catch(() => ack("context deadline exceeded")); // as Go calls it
  });
  socket.on("who is in", async (room, ack) => {
    ack((await io.in(room).fetchSockets()).map((s) => s.data.name).sort());
  });
  socket.on("move", (from, to, ack) => {
    io.in(from).socketsJoin(to);
    io.in(to).socketsLeave(from);
    ack(io.sockets.adapter.rooms.get(to).size);
  });
  socket.on("publish", (room, text) => io.to(room).emit("news", text));
  socket.on("clear", (room, close) => io.in(room).disconnectSockets(close));
  socket.on("move the cursor", () => socket.volatile.compress(false).emit("cursor", 7, Buffer.from("plain")));
  socket.on("shut down", () => {
    socket.emit("last words", Buffer.from("bye"));
    io.close();
  });
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
process.stdin.resume().on("end", () => process.exit());
