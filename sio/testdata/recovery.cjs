// A stock client loses its connection to the server at URL, over TRANSPORTS, with PARSER if that is named, and comes back. It ends
// with status 0, or says what went wrong.
const assert = require("node:assert/strict");
const { io } = require("socket.io-client");

const { URL: url, TRANSPORTS: transports, PARSER: parser } = process.env;
const options = { transports: transports.split(","), reconnectionDelay: 200, randomizationFactor: 0 };
if (parser) options.parser = require(parser);

const once = (socket, event) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} came`)), 10_000);
    socket.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
const ask = (socket, event) => new Promise((resolve) => socket.emit(event, (...args) => resolve(args)));

(async () => {
  const socket = io(url, options);
  const missed = [];
  socket.on("missed", (...args) => missed.push(args.slice(0, -1))); // the offset stays among the arguments
  await once(socket, "hello");
  assert.equal(socket.recovered, false);
  const { id } = socket;
  await ask(socket, "join");
  for (const round of [1, 2]) {
    socket.emit("tell me while I am away");
    await ask(socket, "state");
    assert.deepEqual(missed, [], `round ${round}`);
    socket.io.engine.close();
    await once(socket, "connect");
    assert.equal(socket.recovered, true, `round ${round}`);
    assert.equal(socket.id, id);
    assert.deepEqual(await ask(socket, "state"), [true, [id, "red"], "kept"]);
    assert.deepEqual(missed.splice(0), [["text"], [Buffer.from("bytes"), { deep: Buffer.from("too") }], ["to you"]]);
  }
  // The server is to know of it before it comes again: else it takes it for one whose connection was lost.
  const left = new Promise((resolve) => socket.io.engine.once("close", resolve));
  socket.disconnect();
  await left;
  socket.connect();
  await once(socket, "hello");
  assert.equal(socket.recovered, false, "after leaving");
  assert.notEqual(socket.id, id);
  socket.close();
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
