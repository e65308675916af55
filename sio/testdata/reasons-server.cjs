// Node's own server, which tells why sockets ended: reasons.cjs puts the same questions to ours. It prints its port, and serves
// until its standard input ends.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { pingInterval: 1000, pingTimeout: 4000, maxHttpBufferSize: 100_000 });
io.on("connection", (socket) => {
  const { name } = socket.handshake.auth;
  socket.on("disconnect", (reason) => io.to("observers").emit("gone", name, reason));
  socket.on("observe", (ack) => {
    socket.join("observers");
    ack();
  });
  socket.on("be kicked", (close) => socket.disconnect(close));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
process.stdin.resume().on("end", () => process.exit());
