// What a client must do in a browser. run tries each test of a group with a client, which is the module's exports, against the
// server at url, which runs the application of server.mjs, the one at recovering, which recovers lost connections, too, the one at
// msgpack, which speaks that, or the one at scripted, which is not Socket.IO's at all, and returns the failures by name. certificate is the SHA-256 of the one that
// WebTransport shall trust, in hex.
import { trusting, upgraded, within } from "./lib.js";
import { recovery, tests as connection } from "./connection.js";
import { tests as events } from "./events.js";
import { msgpack, tests as options, webtransport } from "./options.js";
import { tests as ours } from "./ours.js";

// How many ms a test may take.
const PATIENCE = 10_000;

const groups = { connection, events, options, ours, msgpack, recovery, webtransport };

export async function run(client, names, { url, recovering, msgpack, scripted, certificate, ...given }) {
	if (certificate) given.transportOptions = { webtransport: trusting(certificate) };
	// With WebTransport the stock client sends a Blob after what follows it, takes no empty message, closes before what it was given has
	// left, and gives no details.
	const stockStream = !client.Emitter && given.transports?.includes("webtransport");
	const failures = [];
	const tests = names.flatMap((name) => Object.entries(groups[name]));
	for (const [name, test] of tests) {
		const sockets = [];
		const connect = (nsp = "/", { to = url, ...more } = {}) => {
			const server = more.path?.startsWith("/scripted/") ? scripted : to;
			const socket = client.io(server + nsp, { forceNew: true, reconnectionDelay: 20, ...given, ...more });
			sockets.push(socket);
			return socket;
		};
		try {
			await within(PATIENCE, test(connect, { ...client, ...given, url, recovering, msgpack, stockStream }));
			// Browsers let a page wait for its next WebTransport when it has given up some.
			const upgrading = sockets.filter(({ connected, io }) => connected && io.engine.opts.transports?.includes("webtransport"));
			await within(PATIENCE, Promise.allSettled(upgrading.map(upgraded)));
		} catch (err) {
			failures.push(`${name}: ${err.stack ?? err}`);
		}
		for (const socket of sockets) socket.disconnect();
	}
	if (!tests.length) failures.push("no test was run");
	return failures;
}
