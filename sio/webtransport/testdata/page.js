// The stock client, in a page, goes through connect, event, ack, binary and the server's goodbye. run returns what went wrong.
import { io } from "/socket.io/socket.io.esm.min.js";

const once = (emitter, event) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} came`)), 15_000);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });

const bytes = (size) => Uint8Array.from({ length: size }, (_, i) => i * 7);

const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);

export async function run(transports, hash) {
  const failures = [];
  const check = (ok, what) => ok || failures.push(what);
  const value = Uint8Array.from(atob(hash), (c) => c.charCodeAt(0));
  const socket = io({
    forceNew: true,
    reconnection: false,
    transports,
    transportOptions: { webtransport: { serverCertificateHashes: [{ algorithm: "sha-256", value }] } },
  });
  try {
    const { engine } = socket.io;
    const upgraded = transports.length > 1 ? once(engine, "upgrade") : null;
    await once(socket, "connect");
    await upgraded;
    const last = transports.at(-1);
    check(socket.io.engine.transport.name === last, `transport ${socket.io.engine.transport.name}, not ${last}`);

    for (const size of [1, 200, 70_000, 700_000]) {
      const back = once(socket, "echo");
      socket.emit("echo", "ü€".repeat(size / 10), { size });
      const [text, { size: got }] = await back;
      check(text === "ü€".repeat(size / 10) && got === size, `an event of ${size} did not come back`);
      const [data, length] = await new Promise((resolve, reject) =>
        socket.timeout(15_000).emit("reply", bytes(size), (err, ...args) => (err ? reject(err) : resolve(args))),
      );
      check(length === size && same(new Uint8Array(data), bytes(size)), `${size} bytes did not come back`);
    }

    const [word, gone] = [once(socket, "last"), once(socket, "disconnect")];
    socket.emit("leave");
    check(new TextDecoder().decode((await word)[0]) === "words", "no last words");
    check((await gone)[0] === "io server disconnect", "the server's goodbye did not come");
  } catch (err) {
    failures.push(String(err));
  } finally {
    socket.close();
  }
  return failures;
}
