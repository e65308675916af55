// What the scripts of these tests share: stock clients, and a reader that puts streams together.
"use strict";
const { createHash } = require("node:crypto");
const { io } = require("socket.io-client");

const url = process.env.SLUICE_URL;

const transports = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// fail ends the script with what went wrong.
function fail(why) {
  console.error(why);
  process.exit(1);
}

function check(condition, what) {
  if (!condition) fail(new Error(what));
}

// connect returns a stock client on one of the transports, connected.
function connect(transport, options = {}) {
  const socket = io(url, { ...transports[transport], forceNew: true, reconnection: false, ...options });
  socket.on("problem", (p) => console.error(transport, "problem", p));
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });
}

// ask emits a request and returns its answer, which must be ok.
async function ask(socket, event, ...args) {
  const answer = await socket.emitWithAck(event, ...args);
  check(answer.ok, `${event}: ${JSON.stringify(answer)}`);
  return answer;
}

// Reader puts together every stream of a room, and holds the server to the order of its events.
class Reader {
  constructor(socket) {
    this.streams = new Map();
    this.waiting = [];
    const at = (id, event) => {
      const s = this.streams.get(id);
      check(s, `${event} of a stream that was not announced`);
      return s;
    };
    socket.on("stream", (s) => {
      check(!this.streams.has(s.id), "a stream was announced twice");
      check(s.type, "a stream was announced without a type");
      this.streams.set(s.id, { began: s, parts: [], length: 0, hash: createHash("sha256"), first: Date.now() });
      this.#wake();
    });
    socket.on("chunk", ({ stream, offset }, bytes) => {
      const s = at(stream, "chunk");
      check(offset === s.length, `chunk at ${offset} after ${s.length} bytes`);
      check(bytes.length <= 256 * 1024, `a chunk of ${bytes.length} bytes`);
      check(!s.end, "a chunk after the end");
      s.hash.update(bytes);
      s.length += bytes.length;
    });
    socket.on("end", (info) => {
      const s = at(info.id, "end");
      check(!s.end, "two ends");
      s.end = info;
      s.sha256 = s.hash.digest("hex");
      this.#wake();
    });
    socket.on("archived", (info) => {
      const s = at(info.id, "archived");
      check(s.end, "archived before the end");
      s.archived = info;
      this.#wake();
    });
  }

  #wake() {
    this.waiting = this.waiting.filter((w) => !w());
  }

  // when resolves with the stream of that id as soon as it has what is named: "began", "end", "archived".
  when(id, what) {
    return new Promise((resolve) => {
      const test = () => {
        const s = this.streams.get(id);
        if (!s?.[what]) return false;
        resolve(s);
        return true;
      };
      if (!test()) this.waiting.push(test);
    });
  }
}

module.exports = { url, transports, sha256, fail, check, connect, ask, Reader };

process.on("unhandledRejection", fail);
