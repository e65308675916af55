// Holds msgpack.json against socket.io-msgpack-parser, and lets it read what Go wrote: MESSAGES, in hex, by the names of the vectors.
const assert = require("node:assert/strict");
const { Encoder, Decoder } = require("socket.io-msgpack-parser");
const vectors = require("./msgpack.json");

const encode = (packet) => new Encoder().encode(packet)[0];
const decode = (message) => {
  let packet;
  const decoder = new Decoder();
  decoder.on("decoded", (p) => (packet = p));
  decoder.add(message);
  return packet;
};
const members = ({ type, nsp, id, data }) => ({ type, nsp, id, data });

const messages = JSON.parse(process.env.MESSAGES);
for (const { name, js, msgpack, oneway } of vectors) {
  const packet = new Function("Buffer", `return ${js}`)(Buffer);
  assert.equal(encode(packet).toString("hex"), msgpack, name);
  if (!oneway) {
    const ours = decode(Buffer.from(messages[name], "hex"));
    assert.deepEqual(members(ours), members(decode(encode(packet))), name);
    delete messages[name];
  }
}
assert.deepEqual(Object.keys(messages), []);
