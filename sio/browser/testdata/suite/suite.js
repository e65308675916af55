// What a client must do in a browser. run tries each test of a group with a client, which is the module's exports, against the
// server at url, which runs the application of server.mjs, or at scripted, which is not Socket.IO's at all, and returns the
// failures by name.
import { within } from "./lib.js";
import { tests as connection } from "./connection.js";
import { tests as events } from "./events.js";
import { tests as options } from "./options.js";
import { tests as ours } from "./ours.js";

const groups = { connection, events, options, ours };

export async function run(client, names, { url, scripted, recovers, ...given }) {
	const failures = [];
	const tests = names.flatMap((name) => Object.entries(groups[name]));
	for (const [name, test] of tests) {
		const sockets = [];
		const connect = (nsp = "/", more) => {
			const server = more?.path?.startsWith("/scripted/") ? scripted : url;
			const socket = client.io(server + nsp, { forceNew: true, reconnectionDelay: 20, ...given, ...more });
			sockets.push(socket);
			return socket;
		};
		try {
			await within(10_000, test(connect, { ...client, ...given, url, scripted, recovers }));
		} catch (err) {
			failures.push(`${name}: ${err.stack ?? err}`);
		}
		for (const socket of sockets) socket.disconnect();
	}
	if (!tests.length) failures.push("no test was run");
	return failures;
}
