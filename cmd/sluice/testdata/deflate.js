// With DEFLATE=yes the server at SLUICE_URL compresses events, and never media; otherwise nothing.
const assert = require("node:assert/strict");
const { io } = require("socket.io-client");

const options = { transports: ["websocket"], forceNew: true, perMessageDeflate: { threshold: 0 } };
const connect = () =>
  new Promise((resolve, reject) => {
    const socket = io(process.env.SLUICE_URL, options);
    socket.on("connect", () => resolve(socket)).on("connect_error", reject);
  });
const wire = (socket) => socket.io.engine.transport.ws;
const ask = (socket, ...args) => socket.timeout(20_000).emitWithAck(...args);

async function main() {
  const [alice, bob] = [await connect(), await connect()];
  const deflated = process.env.DEFLATE === "yes";
  assert.equal(/permessage-deflate/.test(wire(bob).extensions), deflated);

  const meta = { note: "long and dull ".repeat(100) };
  await ask(bob, "join", { room: "r" });
  const size = 200_000;
  const ended = new Promise((resolve) => bob.on("end", resolve));
  const before = wire(bob)._socket.bytesRead;
  await ask(alice, "send", { room: "r", name: "zeros", meta }, Buffer.alloc(size));
  await ended;
  const came = wire(bob)._socket.bytesRead - before;
  assert.ok(came > size, `${size} bytes of media came in ${came}: they were compressed`);

  const listed = wire(bob)._socket.bytesRead;
  await ask(bob, "list", { room: "r" });
  const list = wire(bob)._socket.bytesRead - listed;
  assert.equal(list < 1000, deflated, `a list with ${meta.note.length} dull characters came in ${list} bytes`);
  for (const socket of [alice, bob]) socket.close();
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
