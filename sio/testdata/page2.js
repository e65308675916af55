// A client of Socket.IO 2 in a page: io is its own global. run goes through events and acks, plain and binary, and returns what
// went wrong.
function inTime(what, begin) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${what} came`)), 15_000);
    begin((...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}
const once = (socket, event) => inTime(event, (resolve) => socket.once(event, resolve));
const emit = (socket, event, ...args) => inTime(`ack of ${event}`, (resolve) => socket.emit(event, ...args, resolve));
const bytes = (size) => Uint8Array.from({ length: size }, (_, i) => i * 7);
const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);

async function run(options) {
  const failures = [];
  const check = (ok, what) => ok || failures.push(what);
  const socket = io({ ...options, forceNew: true, reconnection: false });
  try {
    const upgraded = options.transports.length > 1 && inTime("upgrade", (resolve) => socket.io.engine.once("upgrade", resolve));
    await once(socket, "connect");
    await upgraded;
    const [text] = await emit(socket, "reply", "zwölf €𝄞");
    check(text === "zwölf €𝄞", `text came back as ${text}`);
    // The client's own base64 encoder runs out of stack beyond.
    for (const size of [0, 1, 200, 60_000, ...(options.forceBase64 ? [] : [500_000])]) {
      const back = once(socket, "echo");
      socket.emit("echo", `ü${size}`, { data: bytes(size).buffer });
      const [name, { data }] = await back;
      check(name === `ü${size}` && same(new Uint8Array(data), bytes(size)), `${size} bytes did not come back`);
      const [ack] = await emit(socket, "reply", { data: bytes(size).buffer });
      check(same(new Uint8Array(ack.data), bytes(size)), `${size} bytes did not come back with an ack`);
    }
    const all = Array.from({ length: 50 }, (_, i) => emit(socket, "reply", i, bytes(i).buffer));
    for (const [i, [n, data]] of (await Promise.all(all)).entries()) {
      check(n === i && data.byteLength === i, `ack ${i} was ${n} with ${data.byteLength} bytes`);
    }
  } catch (err) {
    failures.push(String(err));
  } finally {
    socket.close();
  }
  return failures;
}
