// Sends every file of a folder over every transport to readers on every transport, and prints what came back from the URL.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { url, transports, sha256, check, connect, ask, Reader } = require("./lib.js");

const folder = process.env.SAMPLES;

async function main() {
  const readers = [];
  for (const name in transports) {
    const socket = await connect(name);
    await ask(socket, "join", { room: "samples" });
    readers.push({ name, socket, reader: new Reader(socket) });
  }
  for (const name in transports) {
    for (const file of fs.readdirSync(folder).filter((f) => path.extname(f)).sort()) {
      const socket = await connect(name); // a fresh one: with "upgrade" the attachment may meet the upgrade
      await sendOne(socket, name, file, readers);
      socket.disconnect();
    }
  }
  readers.forEach(({ socket }) => socket.disconnect());
}

async function sendOne(socket, transport, file, readers) {
  const bytes = fs.readFileSync(path.join(folder, file));
  const sum = sha256(bytes);
  const request = { room: "samples", name: file + ".txt", type: "text/html", size: bytes.length, sha256: sum, meta: { file } };
  const { stream } = await ask(socket, "send", request, bytes);
  check(stream.sha256 === sum && stream.size === bytes.length, `${file}: the acknowledgement says ${JSON.stringify(stream)}`);
  for (const { name, reader } of readers) {
    const s = await reader.when(stream.id, "archived");
    check(s.sha256 === sum, `${file} from ${transport} to ${name}: other bytes came`);
    check(s.end.state === "ended" && s.archived.state === "archived", `${file}: states ${s.end.state}, ${s.archived.state}`);
    check(s.end.meta.file === file, `${file}: meta ${JSON.stringify(s.end.meta)}`);
  }
  const response = await fetch(url + stream.url);
  const body = Buffer.from(await response.arrayBuffer());
  check(response.status === 200 && sha256(body) === sum, `${file}: the URL gives ${response.status}, ${body.length} bytes`);
  console.log(JSON.stringify({ file, transport, id: stream.id, sha256: sum, type: stream.type, served: response.headers.get("content-type") }));
}

main();
