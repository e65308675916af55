// Runs suite.js in Node: node.mjs MODULE URL TRANSPORTS, with the path of ws where Node has no WebSocket.
import { run } from "./suite.js";

const [module, url, transports, ws] = process.argv.slice(2);
const { io } = await import(module);
const { WebSocket } = ws ? await import(ws) : globalThis;
const failures = await run(io, url, { transports: transports.split(","), WebSocket });
for (const failure of failures) console.error(failure);
process.exit(failures.length ? 1 : 0);
