// Ends connections to the server at URL in every way a client can think of, and compares the reasons that it gives.
const assert = require("node:assert/strict");
const { io } = require("socket.io-client");
const WebSocket = require("ws");

const { URL: url } = process.env;
const endpoint = url + "/socket.io/?EIO=4&transport=";

// join resolves with a WebSocket that has joined as name, and answers pings if it is to.
function join(name, pongs = true) {
  const ws = new WebSocket(endpoint.replace("http", "ws") + "websocket");
  return new Promise((resolve, reject) => {
    ws.on("open", () => ws.send("40" + JSON.stringify({ name })));
    ws.on("message", (data, binary) => {
      if (!binary && String(data) === "2" && pongs) ws.send("3");
      if (!binary && String(data).startsWith("40")) resolve(ws);
    });
    ws.on("error", reject);
  });
}

// poll resolves with the address of a polling session that has joined as name.
async function poll(name) {
  const open = await (await fetch(endpoint + "polling")).text();
  const session = `${endpoint}polling&sid=${JSON.parse(open.slice(1)).sid}`;
  await fetch(session, { method: "POST", body: "40" + JSON.stringify({ name }) });
  while (!(await (await fetch(session)).text()).includes("40{")); // a ping may come first
  return session;
}

const post = (session, body) => fetch(session, { method: "POST", body }).catch(() => {});
const ws = (act) => async (name) => act(await join(name));
const polling = (act) => async (name) => act(await poll(name));

const ends = {
  "client namespace disconnect": {
    "it leaves": ws((s) => s.send("41")),
    "it leaves, polling": polling((s) => post(s, "41")),
  },
  "server namespace disconnect": {
    "it is kicked": ws((s) => s.send('42["be kicked"]')),
    "it is cut off": ws((s) => s.send('42["be kicked",true]')),
  },
  "transport close": {
    "it vanishes": ws((s) => s.terminate()),
    "it closes, polling": polling((s) => post(s, "1")),
  },
  "transport error": {
    "it sends too much": ws((s) => s.send("4".padEnd(200_000, "x"))),
  },
  "parse error": {
    "it sends no packet of Engine.IO": ws((s) => s.send("9")),
  },
  "forced close": {
    "it sends no packet of Socket.IO": ws((s) => s.send("49")),
    "it sends no JSON": ws((s) => s.send("42[")),
    "it sends no array": ws((s) => s.send("42{}")),
    "it sends a reserved name": ws((s) => s.send('42["disconnect"]')),
    "it sends an attachment of nothing": ws((s) => s.send(Buffer.from("x"))),
    "it sends text for an attachment": ws((s) => {
      s.send('451-["x",{"_placeholder":true,"num":0}]');
      s.send('42["x"]');
    }),
    "it joins twice": ws((s) => s.send("40")),
    "it sends to where it is not": ws((s) => s.send('42/nowhere,["x"]')),
    "it sends what servers send": ws((s) => s.send('44{"message":"no"}')),
  },
  "forced server close": {
    "it joins twice, polling": polling((s) => post(s, "40")),
    "it sends to where it is not, polling": polling((s) => post(s, '42/nowhere,["x"]')),
    "it sends what servers send, polling": polling((s) => post(s, '44{"message":"no"}')),
  },
  "ping timeout": {
    "it answers no ping": (name) => join(name, false),
  },
};

(async () => {
  const observer = io(url, { forceNew: true, transports: ["websocket"] });
  await observer.timeout(10_000).emitWithAck("observe");
  const got = {};
  const want = {};
  const all = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`of these came none: ${Object.keys(want).filter((n) => !got[n])}`)), 20_000);
    observer.on("gone", (name, reason) => {
      got[name] = reason;
      if (Object.keys(got).length === Object.keys(want).length) {
        clearTimeout(timer);
        resolve();
      }
    });
  });
  for (const [reason, ways] of Object.entries(ends)) for (const name of Object.keys(ways)) want[name] = reason;
  await Promise.all(Object.values(ends).flatMap((ways) => Object.entries(ways).map(([name, end]) => end(name))));
  await all;
  assert.deepEqual(got, want);
  observer.close();
})().then(
  () => process.exit(0),
  (err) => {
    console.error(err);
    process.exit(1);
  },
);
