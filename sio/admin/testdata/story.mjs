// A page, as far as the server sees it, and a client that comes, does something and goes, on the server at URL. It prints
// what the page is told, a line for each event: first what it is told at once, then of the client.
import { io } from "socket.io-client";

const url = process.env.URL;
const told = [];
let changed = () => {};
const page = io(`${url}/admin`, { transports: ["websocket"] });
page.onAny((...args) => { told.push(args); changed(); });

/** until resolves when every one of names has been told, in any order. */
async function until(...names) {
	for (;;) {
		const missing = [...names];
		for (const [name] of told) if (missing.includes(name)) missing.splice(missing.indexOf(name), 1);
		if (missing.length === 0) return;
		await new Promise((resolve) => { changed = resolve; });
	}
}

await until("config", "all_sockets", "server_stats");
const mine = page.id;
print(told.splice(0), [[mine, "PAGE"]]);

const ada = io(url, { transports: ["websocket"], forceNew: true, reconnection: false, query: { q: ["1", "2"] }, auth: { token: "secret" } });
await new Promise((resolve) => ada.on("connect", resolve));
const id = ada.id;
await until("socket_connected");
await ada.emitWithAck("enter", "harbour");
ada.emit("go", "harbour");
await until("socket_connected", "event_received", "event_received", "socket_disconnected", "room_left", "room_left");
print(told.filter(([name]) => name !== "server_stats"), [[id, "ID"]]);
page.disconnect();
ada.disconnect();

function print(lines, names) {
	for (const line of lines) {
		let text = JSON.stringify(line, sorted);
		for (const [name, stands] of names) text = text.replaceAll(JSON.stringify(name), JSON.stringify(stands));
		console.log(text);
	}
}

/** sorted is a replacer that puts the members of objects in order. */
function sorted(_, value) {
	if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
	return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
