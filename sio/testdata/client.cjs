// A stock client puts the server at URL through its paces, over TRANSPORTS, with PARSER if
// that is named. It ends with status 0, or says what went wrong.
const assert = require("node:assert/strict");
const { createHash, randomBytes } = require("node:crypto");
const { io, Manager } = require("socket.io-client");

const { URL: url, TRANSPORTS: transports, PARSER: parser } = process.env;
const options = { transports: transports.split(","), forceNew: true, reconnection: false };
if (parser) options.parser = require(parser);

const connect = (namespace, more = {}) => io(url + namespace, { ...options, ...more });
const once = (socket, event) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} came`)), 10_000);
    socket.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
const emit = (socket, ...args) => socket.timeout(10_000).emitWithAck(...args);

const checks = {
  async "plain events go both ways, in order"(socket) {
    const back = once(socket, "echo");
    socket.emit("echo", 1, "zwölf €𝄞", { a: [true, null] });
    assert.deepEqual(await back, [1, "zwölf €𝄞", { a: [true, null] }]);
    const seen = [];
    socket.on("numbered", (n) => seen.push(n));
    for (let i = 0; i < 300; i++) socket.emit("numbered", i);
    await emit(socket, "sync");
    assert.deepEqual(seen, [...Array(300).keys()]);
  },
  async "acks carry text and bytes"(socket) {
    assert.equal(await emit(socket, "reply", "x"), "x");
    assert.deepEqual(await emit(socket, "reply", { deep: [Buffer.from("abc")] }), { deep: [Buffer.from("abc")] });
  },
  async "binary events go both ways"(socket) {
    const sent = randomBytes(300_000);
    const back = once(socket, "echo");
    socket.emit("echo", { image: sent, list: [Buffer.from([1]), Buffer.alloc(0)] }, "end");
    assert.deepEqual(await back, [{ image: sent, list: [Buffer.from([1]), Buffer.alloc(0)] }, "end"]);
  },
  async "the server is given acks"(socket) {
    socket.on("question", (a, answer) => answer(a + 1, Buffer.from("bytes")));
    assert.deepEqual(await emit(socket, "ask me", 41), [42, Buffer.from("bytes").toString("base64")]);
  },
  async "rooms and broadcasts"(socket) {
    const other = connect("/");
    const third = connect("/");
    await Promise.all([once(other, "connect"), once(third, "connect")]);
    await Promise.all([socket, other].map((s) => emit(s, "join", "red")));
    const got = [];
    for (const [name, s] of Object.entries({ socket, other, third })) {
      s.on("news", (text, bytes) => got.push(`${name}:${text}:${bytes}`));
    }
    await emit(socket, "tell", "red", "hi", Buffer.from("b"));
    await Promise.all([socket, other, third].map((s) => emit(s, "sync")));
    assert.deepEqual(got, ["other:hi:b"]);
    other.close();
    third.close();
  },
  async "large attachments are streamed"(socket) {
    const film = randomBytes(8 << 20);
    assert.deepEqual(await socket.timeout(30_000).emitWithAck("stream", { name: "film" }, film), {
      name: "film",
      size: film.length,
      sha256: createHash("sha256").update(film).digest("hex"),
    });
    assert.equal(await emit(socket, "reply", "after"), "after");
  },
  async "namespaces share a connection"() {
    const manager = new Manager(url, options);
    const [a, b] = [manager.socket("/"), manager.socket("/admin", { auth: { token: "right" } })];
    await Promise.all([once(a, "connect"), once(b, "connect")]);
    assert.notEqual(a.id, b.id);
    assert.equal(await emit(b, "whoami"), b.id);
    const gone = once(b, "disconnect");
    b.emit("kick me");
    assert.equal((await gone)[0], "io server disconnect");
    assert.equal(await emit(a, "reply", 1), 1);
    a.close();
  },
  async "middleware refuses with a reason"() {
    const refused = connect("/admin", { auth: { token: "wrong" } });
    const [error] = await once(refused, "connect_error");
    assert.equal(error.message, "not authorized");
    assert.deepEqual(error.data, { code: 401 });
    const nowhere = connect("/nowhere");
    assert.equal((await once(nowhere, "connect_error"))[0].message, "Invalid namespace");
    refused.close();
    nowhere.close();
  },
  async "the server closes the connection"() {
    const socket = connect("/");
    await once(socket, "connect");
    const last = once(socket, "last");
    const gone = once(socket, "disconnect");
    socket.emit("close me");
    assert.deepEqual(await last, [Buffer.from("words")]);
    assert.equal((await gone)[0], "io server disconnect");
  },
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    const socket = connect("/");
    await once(socket, "connect");
    try {
      await check(socket);
    } catch (err) {
      err.message = `${name}: ${err.message}`;
      throw err;
    }
    socket.close();
  }
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
