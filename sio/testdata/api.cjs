// A stock client sees what the server's API does, over TRANSPORTS. It ends with status 0, or says what went wrong.
const assert = require("node:assert/strict");
const { io } = require("socket.io-client");

const { URL: url, TRANSPORTS: transports } = process.env;
const options = { transports: transports.split(","), forceNew: true, reconnection: false };

const once = (socket, event) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} came`)), 10_000);
    socket.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
const emit = (socket, ...args) => socket.timeout(10_000).emitWithAck(...args);
const open = [];
async function connect(namespace = "/", more = {}) {
  const socket = io(url + namespace, { ...options, ...more });
  open.push(socket);
  await once(socket, "connect");
  return socket;
}

const checks = {
  async "namespaces begin to exist when somebody asks"() {
    const a = await connect("/room-1", { auth: { name: "a" } });
    const b = await connect("/room-2");
    assert.deepEqual(await emit(a, "where"), ["/room-1", 1]);
    const heard = Promise.all([once(a, "all rooms"), once(b, "all rooms")]);
    b.emit("tell all rooms", Buffer.from("x"));
    assert.deepEqual(await heard, [[Buffer.from("x")], [Buffer.from("x")]]);
    const refused = io(url + "/hall", options);
    assert.equal((await once(refused, "connect_error"))[0].message, "Invalid namespace");
    refused.close();
  },
  async "all in a room are asked"() {
    const sockets = [await connect(), await connect(), await connect()];
    for (const [i, socket] of sockets.entries()) {
      await emit(socket, "join", "parliament");
      socket.on("vote", (question, ack) => ack(`${question} ${i}`, Buffer.from([i])));
    }
    assert.deepEqual((await emit(sockets[0], "call a vote", "parliament", "tea?")).sort(), ["tea? 0", "tea? 1", "tea? 2"]);
    sockets[1].off("vote"); // never answers
    sockets[2].off("vote");
    sockets[2].on("vote", () => sockets[2].close()); // goes instead
    const [answers, missing] = await emit(sockets[0], "call a short vote", "parliament", "coffee?");
    assert.deepEqual([answers, missing], [["coffee? 0"], 2]);
  },
  async "a question has its time"() {
    const socket = await connect();
    socket.on("question", () => {});
    assert.equal(await emit(socket, "ask me shortly"), "context deadline exceeded");
  },
  async "sockets are fetched, moved and disconnected"() {
    const a = await connect("/", { auth: { name: "a" } });
    const b = await connect("/", { auth: { name: "b" } });
    await emit(a, "join", "blue");
    await emit(b, "join", "blue");
    assert.deepEqual(await emit(a, "who is in", "blue"), ["a", "b"]);
    const news = once(b, "news");
    assert.equal(await emit(a, "move", "blue", "green"), 2);
    a.emit("publish", "blue", "nobody hears");
    a.emit("publish", "green", "hi");
    assert.deepEqual(await news, ["hi"]);
    const gone = Promise.all([once(a, "disconnect"), once(b, "disconnect")]);
    a.emit("clear", "green", true);
    assert.deepEqual((await gone).map(([reason]) => reason), ["io server disconnect", "io server disconnect"]);
  },
  async "events are refused, seen by all and handled by one"() {
    const socket = await connect();
    assert.deepEqual(await emit(socket, "forbidden"), { error: "forbidden" });
    assert.equal(await emit(socket, "mine"), 1);
    assert.equal(await emit(socket, "mine"), 2);
    assert.deepEqual(await emit(socket, "seen"), ["forbidden", "mine", "mine", "seen"]);
  },
  async "volatile and plain events arrive when nothing waits"() {
    const socket = await connect();
    const got = once(socket, "cursor");
    await emit(socket, "sync");
    const timer = setInterval(() => socket.emit("move the cursor"), 20); // until one finds the way free
    const [x, data] = await got;
    clearInterval(timer);
    assert.deepEqual([x, data], [7, Buffer.from("plain")]);
  },
  async "a server that shuts down says its last words"() {
    const socket = await connect();
    const last = once(socket, "last words");
    const gone = once(socket, "disconnect");
    socket.emit("shut down");
    assert.deepEqual(await last, [Buffer.from("bye")]);
    assert.equal((await gone)[0], "transport close"); // after which a client connects anew
  },
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
    } catch (err) {
      err.message = `${name}: ${err.message}`;
      throw err;
    }
    for (const socket of open.splice(0)) socket.close();
  }
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
