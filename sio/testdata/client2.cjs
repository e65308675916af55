// A client of Socket.IO 2 puts the server at URL through its paces, over TRANSPORTS. It ends with status 0, or says what went wrong.
const assert = require("node:assert/strict");
const { randomBytes } = require("node:crypto");
const io = require("socket.io-client-2");

const { URL: url, TRANSPORTS: transports } = process.env;
const options = { transports: transports.split(","), forceNew: true, reconnection: false };

const connect = (namespace, more = {}) => io(url + namespace, { ...options, ...more });
const inTime = (what, begin) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${what} came`)), 10_000);
    begin((...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
const once = (socket, event) => inTime(event, (resolve) => socket.once(event, resolve));
const emit = (socket, event, ...args) => inTime(`ack of ${event}`, (resolve) => socket.emit(event, ...args, resolve));

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
    assert.deepEqual(await emit(socket, "reply", "x", 1), ["x", 1]);
    assert.deepEqual(await emit(socket, "reply", { deep: [Buffer.from("abc")] }), [{ deep: [Buffer.from("abc")] }]);
  },
  async "binary events go both ways"(socket) {
    const sent = randomBytes(300_000);
    const back = once(socket, "echo");
    socket.emit("echo", { image: sent, list: [Buffer.from([1]), Buffer.alloc(0)] }, "end");
    assert.deepEqual(await back, [{ image: sent, list: [Buffer.from([1]), Buffer.alloc(0)] }, "end"]);
  },
  async "the server is given acks"(socket) {
    socket.on("question", (a, answer) => answer(a + 1, Buffer.from("bytes")));
    assert.deepEqual(await emit(socket, "ask me", 41), [[42, Buffer.from("bytes").toString("base64")]]);
  },
  async "the client knows its id"(socket) {
    assert.deepEqual(await emit(socket, "id"), [socket.id]);
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
  async "namespaces share a connection, and are joined with a query"() {
    const manager = io.Manager(url, { ...options });
    const [a, b] = [manager.socket("/"), manager.socket("/admin", { query: { token: "right" } })];
    await Promise.all([once(a, "connect"), once(b, "connect")]);
    assert.match(b.id, /^\/admin#/);
    assert.deepEqual(await emit(b, "whoami"), [b.id]);
    assert.deepEqual(await emit(b, "who am I"), [{ token: "right" }]);
    const gone = once(b, "disconnect");
    b.emit("kick me");
    assert.deepEqual(await gone, ["io server disconnect"]);
    assert.deepEqual(await emit(a, "reply", 1), [1]);
    a.close();
  },
  async "middleware refuses with data, or in words"() {
    const refused = connect("/admin", { query: { token: "wrong" } });
    assert.deepEqual(await once(refused, "error"), [{ code: 401 }]);
    refused.close();
    const manager = io.Manager(url + "/?refuse=1", { ...options });
    const main = manager.socket("/");
    assert.deepEqual(await once(main, "error"), ["not you"]);
    const admin = manager.socket("/admin", { query: { token: "right" } });
    await once(admin, "connect");
    admin.close();
    main.close();
    const nowhere = connect("/nowhere");
    assert.deepEqual(await once(nowhere, "error"), [{ message: "Invalid namespace" }]);
    nowhere.close();
  },
  async "the client leaves a namespace and stays in another"() {
    const manager = io.Manager(url, { ...options });
    const [a, b] = [manager.socket("/"), manager.socket("/admin", { query: { token: "right" } })];
    await Promise.all([once(a, "connect"), once(b, "connect")]);
    b.close();
    assert.deepEqual(await emit(a, "reply", 1), [1]);
    a.close();
  },
  async "the server closes the connection"() {
    const socket = connect("/");
    await once(socket, "connect");
    const last = once(socket, "last");
    const gone = once(socket, "disconnect");
    socket.emit("close me");
    assert.deepEqual(await last, [Buffer.from("words")]);
    assert.deepEqual(await gone, ["io server disconnect"]);
  },
  async "a lost connection comes back"() {
    const socket = connect("/", { reconnection: true, reconnectionDelay: 20 });
    await once(socket, "connect");
    const before = socket.id;
    const again = once(socket, "connect");
    socket.io.engine.close();
    await again;
    assert.notEqual(socket.id, before);
    assert.deepEqual(await emit(socket, "reply", 1), [1]);
    socket.close();
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
