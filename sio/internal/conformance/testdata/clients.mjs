// Runs checks.mjs with the stock client of PACKAGE, and the parser of PARSER if that is set, over TRANSPORTS. It prints what
// worked and ends with status 0 if all did.
import { createRequire } from "node:module";
import { check } from "./checks.mjs";

const require = createRequire(import.meta.url);
const { URL: url, CUT: cut, PACKAGE: name, PARSER: parser, TRANSPORTS: transports, RECOVERS: recovers } = process.env;
const client = require(name);
const options = { transports: transports.split(",") };
if (parser) options.parser = require(parser);

const { done, failed } = await check({ io: client.io ?? client, url, options, bytes: Buffer.from, cut, recovers: recovers === "yes" });
console.log(done.join(", "));
if (failed) console.error(failed);
process.exit(failed ? 1 : 0);
