// A stock Socket.IO server for the client's tests. It prints its port, and ends with its standard input.
const { createServer } = require("http");
const { createHash } = require("crypto");
const { Server } = require("socket.io");

const options = JSON.parse(process.argv[2]) || {};
const http = createServer();
const io = new Server(http, { maxHttpBufferSize: 1e9, ...options });

io.of("/").on("connection", (socket) => {
  socket.emit("welcome", { auth: socket.handshake.auth, header: socket.handshake.headers["x-test"], query: socket.handshake.query.q });
  socket.on("echo", (...args) => {
    const ack = args.pop();
    ack(...args);
  });
  socket.on("back", (...args) => socket.emit("back", ...args));
  socket.on("hash", (bytes, ack) => ack({ size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }));
  socket.on("ask", (question, ack) => socket.emit("question", question, (...answer) => ack(...answer)));
  socket.on("flood", (count, size) => {
    for (let i = 0; i < count; i++) socket.emit("drop", i, Buffer.alloc(size, i));
  });
  socket.on("drop me", () => socket.conn.close());
  socket.on("cut me", function cut() {
    const { socket: webSocket, req: poll } = socket.conn.transport;
    if (webSocket) return webSocket._socket.destroy();
    if (poll) return poll.socket.destroy();
    setImmediate(cut); // between two polls
  });
  socket.on("refuse me", () => socket.disconnect(true));
  socket.on("never", () => {});
  socket.on("transport", (ack) => ack(socket.conn.transport.name));
  socket.on("disconnect", (reason) => console.log("left " + reason));
});
io.of("/secret").use((socket, next) => {
  if (socket.handshake.auth.token === "right") return next();
  const err = new Error("wrong token");
  err.data = { hint: "right" };
  next(err);
});
io.of("/secret").on("connection", (socket) => socket.on("echo", (x, ack) => ack(x)));

http.listen(options.port || 0, "127.0.0.1", () => console.log("port " + http.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
