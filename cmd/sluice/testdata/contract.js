// The contract, event by event, from a stock client with nothing added.
"use strict";
const test = require("node:test");
const assert = require("node:assert/strict");
const { randomBytes } = require("node:crypto");
const { url, sha256, connect, ask, Reader } = require("./lib.js");

const refused = async (code, socket, event, ...args) => {
  const answer = await socket.emitWithAck(event, ...args);
  assert.equal(answer.ok, false, `${event} was accepted: ${JSON.stringify(answer)}`);
  assert.equal(answer.error.code, code, `${event}: ${JSON.stringify(answer.error)}`);
  assert.ok(answer.error.message.length > 0);
  return answer.error;
};

const next = (socket, event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

// clients connects n sockets and ends them with the test.
async function clients(t, n) {
  const sockets = [];
  for (let i = 0; i < n; i++) sockets.push(await connect("websocket"));
  t.after(() => sockets.forEach((s) => s.disconnect()));
  return sockets;
}

let rooms = 0;
const newRoom = () => `room ${++rooms} / ü`;

// publishAll publishes bytes in chunks.
async function publishAll(socket, request, bytes) {
  const { stream, offset, chunk, window } = await ask(socket, "publish", request);
  assert.ok(chunk > 0 && chunk <= 256 * 1024 && window >= chunk);
  for (let at = offset; at < bytes.length; at += chunk) {
    const piece = bytes.subarray(at, at + chunk);
    const answer = await ask(socket, "chunk", { stream: stream.id, offset: at }, piece);
    assert.equal(answer.offset, at + piece.length);
  }
  return (await ask(socket, "finish", { stream: stream.id, sha256: sha256(bytes) })).stream;
}

test("join tells who and what is there, and the room of who comes and goes", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  const first = await ask(ann, "join", { room, name: "Ann" });
  assert.deepEqual(first.members, [{ id: ann.id, name: "Ann" }]);
  assert.equal(first.id, ann.id);
  assert.deepEqual(first.streams, []);
  const came = next(ann, "member");
  const second = await ask(bob, "join", { room });
  assert.equal(second.members.length, 2);
  assert.deepEqual(await came, [{ room, id: bob.id, event: "join" }]);
  const went = next(ann, "member");
  await ask(bob, "leave", { room });
  assert.deepEqual(await went, [{ room, id: bob.id, event: "leave" }]);
  const back = next(ann, "member");
  await ask(bob, "join", { room, name: "Bob" });
  assert.equal((await back)[0].event, "join");
  const lost = next(ann, "member");
  bob.disconnect();
  assert.deepEqual(await lost, [{ room, id: second.id, name: "Bob", event: "leave" }]);
  await refused("not_found", ann, "leave", { room: "never joined" });
});

test("publish, chunk and finish give the room every byte", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room });
  const reader = new Reader(bob);
  const bytes = randomBytes(1_000_003);
  let own = 0;
  ann.on("chunk", () => own++);
  await ask(ann, "join", { room });
  const stream = await publishAll(ann, { room, name: "a.bin", size: bytes.length, meta: { take: 1 } }, bytes);
  assert.equal(stream.state, "ended");
  assert.equal(stream.from, ann.id);
  assert.deepEqual(stream.meta, { take: 1 });
  const got = await reader.when(stream.id, "archived");
  assert.equal(got.sha256, sha256(bytes));
  assert.equal(own, 0, "a publisher was sent its own chunks");
  const info = (await ask(bob, "list", { room })).streams[0];
  assert.equal(info.state, "archived");
  assert.equal(info.url, `/media/${stream.id}`);
});

test("a chunk at the wrong offset, or of somebody else, is refused and harms nothing", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  const { stream } = await ask(ann, "publish", { room, name: "a" });
  await ask(ann, "chunk", { stream: stream.id, offset: 0 }, Buffer.from("hello "));
  assert.match((await refused("conflict", ann, "chunk", { stream: stream.id, offset: 99 }, Buffer.from("x"))).message, /offset 6/);
  await refused("forbidden", bob, "chunk", { stream: stream.id, offset: 6 }, Buffer.from("x"));
  await refused("not_found", bob, "chunk", { stream: "01ARZ3NDEKTSV4RRFFQ69G5FAV", offset: 0 }, Buffer.from("x"));
  const held = await ask(ann, "chunk", { stream: stream.id, offset: 3 }, Buffer.from("lo world"));
  assert.equal(held.offset, 11, "what is held already is acknowledged, and only the rest kept");
  const done = await ask(ann, "finish", { stream: stream.id });
  assert.equal(done.stream.sha256, sha256(Buffer.from("hello world")));
});

test("publishing again with the same key resumes", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  const key = randomBytes(16).toString("hex");
  const bytes = randomBytes(600_000);
  const request = { room, name: "a.bin", key, size: bytes.length };
  const first = await ask(ann, "publish", request);
  await ask(ann, "chunk", { stream: first.stream.id, offset: 0 }, bytes.subarray(0, 200_000));
  const again = await ask(bob, "publish", request);
  assert.equal(again.stream.id, first.stream.id);
  assert.equal(again.offset, 200_000);
  await refused("gone", ann, "chunk", { stream: first.stream.id, offset: 200_000 }, Buffer.from("x"));
  await refused("conflict", ann, "publish", { ...request, size: 5 });
  await refused("conflict", ann, "publish", { ...request, name: "b.bin" });
  const stream = await publishAll(bob, request, bytes);
  assert.equal(stream.sha256, sha256(bytes));
  const finished = await ask(ann, "publish", request);
  assert.equal(finished.offset, bytes.length);
  assert.equal(finished.stream.id, stream.id);
});

test("an upload and its reader go on over another transport", async (t) => {
  const room = newRoom();
  const bytes = randomBytes(900_000);
  const request = { room, name: "a.bin", key: randomBytes(16).toString("hex"), size: bytes.length };
  const parts = [];
  let offset = 0;
  for (const [transport, end] of [["polling", 300_000], ["websocket", 600_000], ["polling", bytes.length]]) {
    const [ann, bob] = [await connect(transport), await connect(transport)];
    t.after(() => [ann, bob].forEach((s) => s.disconnect()));
    const { stream, ...answer } = await ask(ann, "publish", request);
    assert.equal(answer.offset, offset, `${transport} goes on elsewhere`);
    const got = () => parts.reduce((sum, part) => sum + part.length, 0);
    const caughtUp = new Promise((resolve) =>
      bob.on("chunk", (chunk, part) => {
        assert.equal(chunk.offset, got());
        parts.push(part);
        if (got() === end) resolve();
      }),
    );
    await ask(bob, "subscribe", { stream: stream.id, from: got() });
    for (; offset < end; offset += 100_000)
      await ask(ann, "chunk", { stream: stream.id, offset }, bytes.subarray(offset, offset + 100_000));
    await caughtUp;
    if (end === bytes.length) await ask(ann, "finish", { stream: stream.id, sha256: sha256(bytes) });
    for (const socket of [ann, bob]) socket.disconnect();
  }
  assert.ok(Buffer.concat(parts).equals(bytes));
});

test("size and sha256 must match what comes", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room });
  const reader = new Reader(bob);
  await refused("conflict", ann, "send", { room, sha256: "0".repeat(64) }, randomBytes(10_000));
  await refused("conflict", ann, "send", { room, size: 5 }, randomBytes(10_000));
  const { stream } = await ask(ann, "publish", { room, size: 8_000 });
  await ask(ann, "chunk", { stream: stream.id, offset: 0 }, randomBytes(5_000));
  await refused("conflict", ann, "finish", { stream: stream.id });
  assert.equal((await reader.when(stream.id, "end")).end.state, "failed");
  assert.deepEqual((await ask(ann, "list", { room })).streams, []);
  assert.equal((await fetch(`${url}/media/${stream.id}`)).status, 404);
});

test("cancel ends a stream for its readers", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room });
  const reader = new Reader(bob);
  const { stream } = await ask(ann, "publish", { room });
  await ask(ann, "chunk", { stream: stream.id, offset: 0 }, randomBytes(5_000));
  await reader.when(stream.id, "began");
  await refused("forbidden", bob, "cancel", { stream: stream.id });
  await ask(ann, "cancel", { stream: stream.id });
  assert.equal((await reader.when(stream.id, "end")).end.state, "cancelled");
});

test("subscribe reads from any offset, without joining, and unsubscribe ends it", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  const bytes = randomBytes(700_000);
  const { stream } = await ask(ann, "publish", { room, name: "a" });
  for (let at = 0; at < bytes.length; at += 100_000)
    await ask(ann, "chunk", { stream: stream.id, offset: at }, bytes.subarray(at, at + 100_000));
  const parts = [];
  let from = -1;
  bob.on("chunk", ({ offset }, part) => {
    if (from < 0) from = offset;
    parts.push(part);
  });
  const ended = next(bob, "end");
  assert.equal((await ask(bob, "subscribe", { stream: stream.id, from: 123_456 })).offset, 123_456);
  await ask(ann, "finish", { stream: stream.id });
  await ended;
  assert.equal(from, 123_456);
  assert.ok(Buffer.concat(parts).equals(bytes.subarray(123_456)));

  const live = await ask(ann, "publish", { room, kind: "live" });
  await ask(ann, "chunk", { stream: live.stream.id, offset: 0 }, randomBytes(5_000));
  const first = next(bob, "chunk");
  await ask(bob, "subscribe", { stream: live.stream.id, from: "start" });
  await first;
  await ask(bob, "unsubscribe", { stream: live.stream.id });
  bob.on("chunk", () => assert.fail("a chunk after unsubscribe"));
  await ask(ann, "chunk", { stream: live.stream.id, offset: 5_000 }, randomBytes(5_000));
  await ask(ann, "finish", { stream: live.stream.id });
  await refused("not_found", bob, "unsubscribe", { stream: live.stream.id });
  await refused("not_found", bob, "subscribe", { stream: "nonsense" });
});

test("a window holds chunks back until they are credited", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  const bytes = randomBytes(2_000_000);
  const { stream } = await ask(ann, "send", { room }, bytes);
  let got = 0;
  bob.on("chunk", ({ offset }, part) => {
    got = offset + part.length;
    assert.ok(got - credited <= 300_000 + 256 * 1024, `${got} bytes came, ${credited} were credited`);
    if (got - credited >= 300_000 || got === bytes.length) {
      credited = got;
      bob.emit("credit", { stream: stream.id, offset: got });
    }
  });
  let credited = 0;
  const ended = next(bob, "end");
  await ask(bob, "subscribe", { stream: stream.id, window: 300_000 });
  await ended;
  assert.equal(got, bytes.length);
});

test("who joins late gets an open file from its first byte", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  const bytes = randomBytes(500_000);
  const { stream } = await ask(ann, "publish", { room, name: "a" });
  await ask(ann, "chunk", { stream: stream.id, offset: 0 }, bytes.subarray(0, 300_000));
  const parts = [];
  bob.on("stream", () => assert.fail("a stream of the acknowledgement was announced again"));
  bob.on("chunk", (_, part) => parts.push(part));
  const { streams } = await ask(bob, "join", { room });
  assert.equal(streams[0].id, stream.id);
  const ended = next(bob, "end");
  await ask(ann, "chunk", { stream: stream.id, offset: 300_000 }, bytes.subarray(300_000));
  await ask(ann, "finish", { stream: stream.id });
  await ended;
  assert.ok(Buffer.concat(parts).equals(bytes));
});

test("deliver: whole gives finished items in one event", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room, deliver: "whole" });
  for (const event of ["stream", "chunk", "end"]) bob.on(event, () => assert.fail(`${event} came to a member that wants media`));
  const small = randomBytes(100_000);
  const came = next(bob, "media");
  const archived = next(bob, "archived");
  await ask(ann, "send", { room, name: "small" }, small);
  const [info, bytes] = await came;
  assert.equal(info.name, "small");
  assert.ok(bytes.equals(small));
  await archived;
  const large = next(bob, "media");
  await ask(ann, "send", { room, name: "large" }, randomBytes(1_048_577));
  const [big, none] = await large;
  assert.equal(big.name, "large");
  assert.equal(none, undefined);
});

test("from: none tells of streams without their bytes", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room, from: "none" });
  bob.on("chunk", () => assert.fail("a chunk came"));
  const reader = new Reader(bob);
  const { stream } = await ask(ann, "send", { room }, randomBytes(10_000));
  await reader.when(stream.id, "archived");
});

test("chunks are compressed for those who accept it", async (t) => {
  const { inflateRawSync } = require("node:zlib");
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room, accept: ["deflate-raw"] });
  const text = Buffer.from("all work and no play makes a dull boy\n".repeat(20_000));
  const parts = [];
  let wire = 0;
  bob.on("chunk", (c, part) => {
    wire += part.length;
    const plain = c.encoding ? inflateRawSync(part) : part;
    if (c.encoding) assert.equal(plain.length, c.size);
    parts.push(plain);
  });
  const ended = next(bob, "end");
  await ask(ann, "send", { room, name: "a.txt" }, text);
  await ended;
  assert.ok(Buffer.concat(parts).equals(text));
  assert.ok(wire < text.length / 4, `${wire} bytes came for ${text.length}`);
});

test("archive: false relays without keeping", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room });
  const ended = next(bob, "end");
  await ask(ann, "send", { room, archive: false }, randomBytes(10_000));
  assert.equal((await ended)[0].state, "ended");
});

test("list pages through a room, newest first", async (t) => {
  const [ann] = await clients(t, 1);
  const room = newRoom();
  const sent = [];
  for (let i = 0; i < 5; i++) sent.unshift((await ask(ann, "send", { room, name: `${i}` }, randomBytes(100))).stream.id);
  const first = (await ask(ann, "list", { room, limit: 2 })).streams.map((s) => s.id);
  const rest = (await ask(ann, "list", { room, before: first[1] })).streams.map((s) => s.id);
  assert.deepEqual([...first, ...rest].sort(), [...sent].sort());
  assert.deepEqual([...first, ...rest], [...first, ...rest].sort().reverse());
  await refused("bad_request", ann, "list", { room, limit: 501 });
  assert.deepEqual((await ask(ann, "list", { room: "nobody was here" })).streams, []);
});

test("delete removes a stream everywhere", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room });
  const reader = new Reader(bob);
  const { stream } = await ask(ann, "send", { room }, randomBytes(10_000));
  await reader.when(stream.id, "archived");
  const gone = next(bob, "deleted");
  await ask(ann, "delete", { stream: stream.id });
  assert.deepEqual(await gone, [{ room, stream: stream.id }]);
  assert.equal((await fetch(url + stream.url)).status, 404);
  assert.deepEqual((await ask(ann, "list", { room })).streams, []);
  await refused("not_found", ann, "delete", { stream: stream.id });
});

test("rubbish is answered, and nobody else notices", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  await ask(bob, "join", { room });
  bob.on("problem", (p) => assert.fail(`the bystander got ${JSON.stringify(p)}`));
  const bytes = randomBytes(100);
  await refused("bad_request", ann, "no such event", { room });
  await refused("bad_request", ann, "join");
  await refused("bad_request", ann, "join", "room");
  await refused("bad_request", ann, "join", { room: 5 });
  await refused("bad_request", ann, "join", {});
  await refused("bad_request", ann, "join", { room: "a\u0000b" });
  await refused("bad_request", ann, "join", { room, from: "yesterday" });
  await refused("bad_request", ann, "join", { room, name: "a\nb" });
  await refused("too_large", ann, "join", { room: "r".repeat(300) });
  await refused("bad_request", ann, "send", { room });
  await refused("bad_request", ann, "send", { room }, "text");
  await refused("bad_request", ann, "send", { room }, bytes, bytes);
  await refused("bad_request", ann, "send", bytes, { room });
  await refused("bad_request", ann, "send", { room, name: "../../etc/passwd" }, bytes);
  await refused("bad_request", ann, "send", { room, name: "a\u0007" }, bytes);
  await refused("bad_request", ann, "send", { room, size: "many" }, bytes);
  await refused("bad_request", ann, "send", { room, sha256: "xyz" }, bytes);
  await refused("too_large", ann, "send", { room, meta: { x: "y".repeat(5000) } }, bytes);
  await refused("bad_request", ann, "publish", { room, kind: "dead" });
  await refused("bad_request", ann, "publish", { room, size: -1 });
  await refused("too_large", ann, "publish", { room, size: 2 ** 50 });
  await refused("bad_request", ann, "subscribe", { stream: 5 });
  await refused("not_found", ann, "subscribe", { stream: "../../x" });
  await refused("not_found", ann, "finish", { stream: "x" });
  const problem = next(ann, "problem");
  ann.emit("send", { room, name: "a/b" }, bytes);
  const [p] = await problem;
  assert.equal(p.code, "bad_request");
  assert.equal(p.event, "send");
  const { stream } = await ask(ann, "send", { room, name: "fine" }, bytes);
  assert.equal(stream.size, 100);
  assert.equal((await ask(bob, "list", { room })).streams.length, 1);
});

test("what one socket may hold is limited", async (t) => {
  const [ann, bob] = await clients(t, 2);
  const room = newRoom();
  const joins = [];
  for (let i = 0; i < 100; i++) joins.push(ask(ann, "join", { room: `${room} ${i}` }));
  await Promise.all(joins);
  const tooMany = await refused("too_many", ann, "join", { room });
  assert.equal(tooMany.limit, 100);
  await ask(ann, "leave", { room: `${room} 0` });
  await ask(ann, "join", { room });
  const streams = [];
  for (let i = 0; i < 100; i++) streams.push(ask(bob, "publish", { room }));
  const { stream } = (await Promise.all(streams))[0];
  assert.equal((await refused("too_many", bob, "publish", { room })).limit, 100);
  await ask(bob, "cancel", { stream: stream.id });
  await ask(bob, "publish", { room });
});

test("an oversized event closes its connection with the reason, and a refused attachment too large to skip", async (t) => {
  const [ann, bob, eve] = await clients(t, 3);
  const room = newRoom();
  await ask(bob, "join", { room });
  bob.on("disconnect", () => {
    if (!done) assert.fail("the bystander was closed");
  });
  let done = false;
  let problem = next(ann, "problem");
  let closed = next(ann, "disconnect");
  ann.emit("join", { room: "x".repeat(2_000_000) });
  assert.equal((await problem)[0].code, "too_large");
  await closed;
  problem = next(eve, "problem");
  closed = next(eve, "disconnect");
  const answer = eve.emitWithAck("send", { room, name: "a/b" }, randomBytes(20_000_000));
  assert.equal((await answer).error.code, "bad_request");
  const [p] = await problem;
  assert.deepEqual(p, { code: "bad_request", message: "name has slashes", event: "send", closing: true });
  await closed;
  await ask(bob, "list", { room });
  done = true;
});

test("progress tells the sender how much is durable", { timeout: 60_000 }, async (t) => {
  const [ann] = await clients(t, 1);
  const seen = [];
  ann.on("progress", ({ offset }) => seen.push(offset));
  const { stream } = await ask(ann, "send", { room: newRoom() }, randomBytes(150_000_000));
  assert.equal(stream.size, 150_000_000);
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
});

test("rooms and health over HTTP", async (t) => {
  const [ann] = await clients(t, 1);
  const room = newRoom();
  await ask(ann, "join", { room, name: "Ann" });
  const { stream } = await ask(ann, "publish", { room, name: "open" });
  await ask(ann, "chunk", { stream: stream.id, offset: 0 }, randomBytes(5_000));
  const shown = await (await fetch(`${url}/rooms/${encodeURIComponent(room)}`)).json();
  assert.equal(shown.room, room);
  assert.deepEqual(shown.members, [{ id: ann.id, name: "Ann" }]);
  assert.equal(shown.streams[0].id, stream.id);
  const empty = await (await fetch(`${url}/rooms/unused`)).json();
  assert.deepEqual(empty, { room: "unused", members: [], streams: [] });
  for (const path of ["/healthz", "/readyz"]) assert.equal((await fetch(url + path)).status, 200);
});
