// Sends SIZE bytes as one event over WebSocket, paced by nothing, to a reader, and prints when the first chunk came.
"use strict";
const { createHash } = require("node:crypto");
const { check, connect, ask, Reader } = require("./lib.js");

const size = Number(process.env.SIZE);

async function main() {
  const watcher = await connect("websocket");
  await ask(watcher, "join", { room: "large" });
  const reader = new Reader(watcher);

  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4096) bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
  const sum = createHash("sha256").update(bytes).digest("hex");

  const sender = await connect(process.env.TRANSPORT || "websocket");
  let sentAtFirst = -1;
  watcher.once("chunk", () => (sentAtFirst = written(sender)));
  const began = Date.now();
  let progress = 0;
  sender.on("progress", ({ offset }) => {
    check(offset >= progress, "progress went back");
    progress = offset;
  });
  const { stream } = await ask(sender, "send", { room: "large", name: "large.bin", sha256: sum }, bytes);
  const took = Date.now() - began;
  const s = await reader.when(stream.id, "end");
  check(s.sha256 === sum, "other bytes came");
  const firstMs = s.first - began;
  console.log(JSON.stringify({ size, took, firstMs, sentAtFirst, progress }));
  watcher.disconnect();
  sender.disconnect();
}

// written is how many bytes the sender's connection has taken so far; -1 where that cannot be told.
function written(socket) {
  const tcp = socket.io.engine.transport.ws?._socket;
  return tcp ? tcp.bytesWritten - tcp.writableLength : -1;
}

main();
