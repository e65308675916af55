// tus' own server, which keeps uploads as files of the folder it runs in.
import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { parseArgs } from "node:util";
import { runInNewContext } from "node:vm";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const { values } = parseArgs({ options: { addr: { type: "string" }, data: { type: "string" } } });
const [, host, port] = values.addr.match(/^(.*):(\d+)$/);

const tus = new Server({ path: "/files", datastore: new FileStore({ directory: values.data }) });
createServer(tus.handle.bind(tus)).listen(Number(port), host);

setFlagsFromString("--expose-gc");
process.on("SIGUSR2", runInNewContext("gc"));
