// Messages of many kinds come back from the echo at URL, compressed both ways.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import WebSocket from "ws";

const ws = new WebSocket(process.env.URL, { perMessageDeflate: { threshold: 0 } });
const next = (event) =>
	new Promise((resolve, reject) => {
		ws.once(event, (...args) => resolve(args));
		ws.once("error", reject);
	});
await next("open");
assert.match(ws.extensions, /permessage-deflate/);
for (const data of ["", "x", "ä€𝄞".repeat(10_000), JSON.stringify(Array.from({ length: 5000 }, (_, i) => ({ i }))), "y".repeat(16_000_000)]) {
	const before = ws._socket.bytesRead;
	ws.send(data);
	const [back, binary] = await next("message");
	assert.equal(binary, false);
	assert.equal(back.toString(), data);
	const came = ws._socket.bytesRead - before;
	assert.ok(data.length < 1000 || came < data.length / 2, `${data.length} characters came in ${came} bytes`);
}
for (const data of [Buffer.alloc(0), Buffer.alloc(100_000), randomBytes(1_000_000)]) {
	ws.send(data);
	const [back, binary] = await next("message");
	assert.equal(binary, true);
	assert.ok(back.equals(data));
}
ws.send(Buffer.alloc(17 << 20)); // small on the wire
const [code] = await next("close");
assert.equal(code, 1009);
