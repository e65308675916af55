// npm's ws sends messages to the echo at URL, compressed and in fragments, and checks what comes back.
const assert = require("node:assert/strict");
const { randomBytes } = require("node:crypto");
const { WebSocket } = require("ws");

const messages = [
  "4hello",
  "4" + "zwölf €𝄞 ".repeat(5000),
  Buffer.alloc(500_000),
  randomBytes(100_000),
  Buffer.alloc(0),
  "4" + "a".repeat(100),
];

function open(options) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(process.env.URL, options);
    ws.once("upgrade", (reply) => (ws.answer = reply.headers["sec-websocket-extensions"]));
    ws.once("message", () => resolve(ws)); // the open packet
    ws.once("error", reject);
  });
}

const next = (ws) =>
  new Promise((resolve, reject) => {
    ws.once("message", (data, binary) => resolve([data, binary]));
    ws.once("close", (code) => reject(new Error(`closed with ${code}`)));
  });

async function check(options) {
  const ws = await open(options);
  assert.match(ws.answer, /^permessage-deflate; server_no_context_takeover; client_no_context_takeover/);
  for (const message of messages) {
    for (const fragments of [1, 3]) {
      const back = next(ws);
      const size = Math.ceil(message.length / fragments);
      for (let i = 0; i < fragments; i++) {
        ws.send(message.slice(i * size, (i + 1) * size), { fin: i === fragments - 1, compress: true });
        if (i === 0) ws.ping();
      }
      const [data, binary] = await back;
      assert.equal(binary, typeof message !== "string");
      assert.deepEqual(data, Buffer.from(message));
    }
  }
  ws.close();
}

(async () => {
  await check({});
  await check({ perMessageDeflate: { serverMaxWindowBits: 15, clientMaxWindowBits: 9 } });
  await check({ perMessageDeflate: { serverMaxWindowBits: 9 } });
  await check({ perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 } });
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
