// Tries every door with every token of TOKENS (a JSON object of name: token) and prints what was answered, as JSON.
"use strict";
const { url, transports, connect, Reader } = require("./lib.js");

const room = "studio";
const code = (answer) => (answer.ok ? "ok" : answer.error.code);

async function main() {
  const tokens = JSON.parse(process.env.TOKENS);
  const owner = await connect("websocket", { auth: { token: tokens.all } });
  const { stream } = await owner.emitWithAck("send", { room, name: "a.txt" }, Buffer.from("some text"));
  const results = {};
  for (const name of Object.keys(tokens).sort((a, b) => (a === "all") - (b === "all"))) results[name] = await tryDoors(tokens[name], stream);
  owner.disconnect();
  console.log(JSON.stringify(results));
}

async function tryDoors(token, stream) {
  const result = {};
  let socket;
  try {
    socket = await connect("websocket", token ? { auth: { token } } : {});
  } catch (err) {
    result.connect = err.data?.code ?? err.message;
  }
  if (socket) {
    result.connect = "ok";
    result.join = code(await socket.emitWithAck("join", { room }));
    result.elsewhere = code(await socket.emitWithAck("join", { room: "elsewhere" }));
    result.publish = code(await socket.emitWithAck("publish", { room }));
    result.send = code(await socket.emitWithAck("send", { room }, Buffer.from("x")));
    result.subscribe = code(await socket.emitWithAck("subscribe", { stream: stream.id }));
    result.list = code(await socket.emitWithAck("list", { room }));
    result.delete = code(await socket.emitWithAck("delete", { stream: stream.id }));
    socket.disconnect();
  }
  const query = token ? `?token=${encodeURIComponent(token)}` : "";
  result.url = (await fetch(url + stream.url + query)).status;
  result.rooms = (await fetch(`${url}/rooms/${room}`, token ? { headers: { Authorization: `Bearer ${token}` } } : {})).status;
  return result;
}

main();
