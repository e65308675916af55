// Sends SIZE bytes as one event, emitted before the sender is even connected, and prints how it went. The sender goes through
// a proxy (SENDER_URL) that tells at METER how many of its bytes have been forwarded.
"use strict";
const { createHash } = require("node:crypto");
const { io } = require("socket.io-client");
const { check, connect, ask, Reader, transports } = require("./lib.js");

const size = Number(process.env.SIZE);

async function main() {
  const watcher = await connect("websocket");
  await ask(watcher, "join", { room: "large" });
  const reader = new Reader(watcher);

  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4096) bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
  const sum = createHash("sha256").update(bytes).digest("hex");

  let forwarded;
  watcher.once("chunk", () => (forwarded = fetch(process.env.METER).then((r) => r.text())));

  const began = Date.now();
  const sender = io(process.env.SENDER_URL, { ...transports[process.env.TRANSPORT], reconnection: false });
  sender.on("disconnect", (reason) => check(done, `the sender was disconnected: ${reason}`));
  sender.on("connect_error", (err) => check(false, `connect_error: ${err.message}`));
  let done = false;
  let progress = 0;
  let reports = 0;
  sender.on("progress", ({ offset }) => {
    check(offset > progress && offset <= size, `progress went from ${progress} to ${offset}`);
    progress = offset;
    reports++;
  });
  const { stream } = await ask(sender, "send", { room: "large", name: "large.bin", sha256: sum }, bytes);
  const tookMs = Date.now() - began;
  const s = await reader.when(stream.id, "end");
  check(s.sha256 === sum, "other bytes came");
  const engine = sender.io.engine;
  if (process.env.TRANSPORT === "upgrade" && engine.transport.name === "polling") {
    await new Promise((resolve) => engine.once("upgrade", resolve)); // it was put off until the POST had ended
  }
  await ask(sender, "list", { room: "large" });
  done = true;
  const transport = engine.transport.name;
  console.log(JSON.stringify({ tookMs, firstMs: s.first - began, forwarded: Number(await forwarded), reports, transport }));
  watcher.disconnect();
  sender.disconnect();
}

main();
