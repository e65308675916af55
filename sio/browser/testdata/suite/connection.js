import { arrived, equal, event, plain, reasonAfter, settled, until, upgraded } from "./lib.js";

/** Connections, namespaces, and how they end and come back, on every transport. */
export const tests = {
	async "connects, and says how"(connect, { transports }) {
		const socket = connect();
		equal([socket.connected, socket.active, socket.id], [false, true, undefined]);
		await event(socket, "connect");
		equal([socket.connected, socket.active, typeof socket.id], [true, true, "string"]);
		if (transports.length === 2) await upgraded(socket);
		equal(socket.io.engine.transport.name, transports.at(-1));
	},

	async "shares a connection among namespaces"(connect) {
		const socket = connect();
		const other = socket.io.socket("/admin", { auth: { token: "secret" } });
		await Promise.all([event(socket, "connect"), event(other, "connect")]);
		equal(other.io, socket.io);
		equal(await other.emitWithAck("echo", new Blob(["hi"])).then(plain), [104, 105]);
		other.disconnect();
		equal(await socket.emitWithAck("echo", "still here"), "still here");
	},

	async "is refused by a namespace, and may try again"(connect) {
		const socket = connect("/admin", { auth: { token: "wrong" } });
		const [err] = await event(socket, "connect_error");
		equal([err.message, err.data, socket.active], ["not allowed", { why: "token" }, false]);
		socket.auth = (send) => setTimeout(() => send({ token: "secret" }), 5);
		socket.connect();
		await event(socket, "connect");
		const [invalid] = await event(connect("/nowhere"), "connect_error");
		equal(invalid.message, "Invalid namespace");
	},

	async "says why it was disconnected: by the server"(connect) {
		const socket = connect();
		await event(socket, "connect");
		socket.emit("goodbye");
		equal((await event(socket, "disconnect"))[0], "io server disconnect");
		equal([socket.connected, socket.active, socket.id], [false, false, undefined]);
		socket.connect();
		await event(socket, "connect");
	},

	async "says why it was disconnected: by the client, once what it sent has left"(connect, { stockStream }) {
		const socket = connect();
		const other = connect();
		await Promise.all([event(socket, "connect"), event(other, "connect")]);
		const heard = event(other, "shouted");
		const reason = event(socket, "disconnect");
		socket.emit("shout", new Blob(["last words"]));
		socket.disconnect();
		equal((await reason)[0], "io client disconnect");
		if (!stockStream) equal(plain((await heard)[0]).length, 10);
	},

	async "reconnects when the connection is cut"(connect) {
		const socket = connect();
		await event(socket, "connect");
		const { id } = socket;
		const heard = [];
		for (const name of ["reconnect_attempt", "reconnect"]) socket.io.on(name, (n) => heard.push([name, n]));
		socket.emit("cut");
		const [reason] = await event(socket, "disconnect");
		equal(["transport close", "transport error"].includes(reason), true, reason);
		const reply = socket.emitWithAck("echo", "meanwhile");
		equal(await reply, "meanwhile");
		equal(socket.id !== id, true);
		equal(heard, [["reconnect_attempt", 1], ["reconnect", 1]]);
	},

	async "tries as often as it was told, and says so"(connect) {
		const socket = connect("/", { path: "/nothing-here/", reconnectionAttempts: 2 });
		const heard = [];
		for (const name of ["error", "reconnect_attempt", "reconnect_error"]) socket.io.on(name, () => heard.push(name));
		socket.on("connect_error", (err) => heard.push(err.type));
		await event(socket.io, "reconnect_failed");
		const attempt = ["reconnect_attempt", "TransportError", "error", "reconnect_error"];
		equal(heard, ["TransportError", "error", ...attempt, ...attempt]);
	},

	async "says why it was disconnected: the server fell silent"(connect) {
		const socket = connect("/", { path: "/scripted/", transports: ["polling"], reconnection: false, query: { hasty: true } });
		await event(socket, "connect");
		equal((await event(socket, "disconnect"))[0], "ping timeout");
		equal(socket.active, true);
	},

	async "says why it was disconnected: the server made no sense"(connect) {
		const nonsense = ["42{}", "42[]", '42["connect"]', "42[1", "49", "450-[1]", '451-["a",{"_placeholder":true,"num":1}]\x1ebAAAA'];
		nonsense.push('451-["a",{"_placeholder":true,"num":"length"}]\x1ebAAAA', '4511-["a"]', "bAAAA", '451-["a"]\x1e42["b"]');
		for (const say of nonsense) equal(await reasonAfter(connect, say), "parse error", say);
		for (const say of ["7", "x"]) equal(await reasonAfter(connect, say), "transport error", say);
	},

	async "lives on through many pings"(connect) {
		const socket = connect();
		for (let i = 0; i < 4; i++) await event(socket.io, "ping");
		equal(await socket.emitWithAck("echo", "alive"), "alive");
	},

	async "says in detail why it was disconnected"(connect, { stockStream }) {
		const socket = connect("/", { reconnection: false });
		await event(socket, "connect");
		socket.emit("cut");
		const [reason, details] = await event(socket, "disconnect");
		if (reason === "transport close") equal(typeof details?.description, stockStream ? "undefined" : "string");
		else equal([details instanceof Error, details.type, / error$/.test(details.message)], [true, "TransportError", true]);
	},

	async "says why it was disconnected: its connection was closed, or the network went"(connect) {
		const socket = connect();
		await event(socket, "connect");
		const closed = event(socket, "disconnect");
		socket.io.engine.close();
		equal((await closed)[0], "forced close");
		await event(socket, "connect");
		const lost = event(socket, "disconnect");
		dispatchEvent(new Event("offline"));
		equal((await lost).map((x) => x.description ?? x), ["transport close", "network connection lost"]);
		await event(socket, "connect");
	},

	async "asks for its credentials each time"(connect) {
		let times = 0;
		const socket = connect("/", { auth: (send) => send({ times: ++times }) });
		equal((await socket.emitWithAck("handshake")).auth, { times: 1 });
		socket.emit("cut");
		await event(socket, "disconnect");
		equal((await socket.emitWithAck("handshake")).auth, { times: 2 });
		socket.auth = { fixed: true };
		socket.disconnect().connect();
		equal((await socket.emitWithAck("handshake")).auth, { fixed: true });
	},
};

/** With a server that recovers lost connections. */
export const recovery = {
	async "recovers what it missed while the connection was lost"(connect, { recovering }) {
		const [socket, other] = [connect("/", { to: recovering }), connect("/", { to: recovering })];
		await Promise.all([event(socket, "connect"), event(other, "connect")]);
		const { id } = socket;
		const got = [];
		socket.on("shouted", (what) => got.push(plain(what)));
		await arrived(socket, other, "shout", "before");
		equal([got, socket.recovered], [["before"], false]);
		socket.io.reconnection(false);
		await settled(socket);
		socket.emit("cut");
		await event(socket, "disconnect");
		const third = connect("/", { to: recovering });
		third.emit("shout", "missed").emit("shout", new Uint8Array([1, 2]));
		while (await third.emitWithAck("knows", id)); // a server cannot recover what it does not know to be lost
		socket.connect();
		await event(socket, "connect");
		equal([socket.recovered, socket.id === id], [true, true]);
		await until(socket, "shouted", () => got.length === 3);
		equal(got, ["before", "missed", [1, 2]]);
	},
};
