// What the client must do in a browser. run tries each test against the server at url, which runs the application of
// server.mjs, or at scripted, which is not Socket.IO's at all, and returns the failures by name.

export async function run(io, { url, scripted, ...options }) {
	const failures = [];
	for (const [name, test] of Object.entries(tests)) {
		const sockets = [];
		const connect = (nsp = "/", more) => {
			const server = more?.path === "/scripted/" ? scripted : url;
			const socket = io(server + nsp, { forceNew: true, reconnectionDelay: 20, ...options, ...more });
			sockets.push(socket);
			return socket;
		};
		try {
			await within(10_000, test(connect, options));
		} catch (err) {
			failures.push(`${name}: ${err.stack ?? err}`);
		}
		for (const socket of sockets) socket.disconnect();
	}
	return failures;
}

const tests = {
	async "connects, and says how"(connect, { transports }) {
		const socket = connect();
		equal([socket.connected, socket.active, socket.id], [false, true, undefined]);
		await event(socket, "connect");
		equal([socket.connected, socket.active, typeof socket.id], [true, true, "string"]);
		if (transports.length === 2) await upgraded(socket);
		equal(socket.io.engine.transport.name, transports.at(-1));
	},

	async "gets its arguments back from an ack"(connect) {
		const socket = connect();
		const args = [1, "ünïcode \u2028 \x1e", null, true, { deep: [{ er: -1.5 }] }, []];
		const back = await new Promise((resolve) => socket.emit("echo", ...args, (...back) => resolve(back)));
		equal(back, args);
		equal(await socket.emitWithAck("echo", "one"), "one");
	},

	async "sends binary of every kind, anywhere in the arguments"(connect) {
		const socket = connect();
		const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
		const blob = new Blob([bytes.subarray(0, 500), bytes.subarray(500)]);
		const args = [bytes.buffer, { list: [new Uint16Array([258])], view: bytes.subarray(10, 20) }, "text", blob];
		const back = await new Promise((resolve) => socket.emit("echo", ...args, (...back) => resolve(back)));
		equal(back[0] instanceof ArrayBuffer, true);
		equal(back.map(plain), [[...bytes], { list: [[2, 1]], view: [...bytes.subarray(10, 20)] }, "text", [...bytes]]);
	},

	async "keeps the order of events, with attachments between them"(connect) {
		const socket = connect();
		const got = [];
		const done = new Promise((resolve) => socket.on("bounced", (n) => got.push(n.byteLength ?? n) === 60 && resolve()));
		for (let i = 0; i < 60; i++) socket.emit("bounce", i % 3 ? i : new Blob([new Uint8Array(i)]));
		await done;
		equal(got, Array.from({ length: 60 }, (_, i) => i));
	},

	async "splits what does not fit in one POST"(connect) {
		const socket = connect();
		const chunk = new Uint8Array(20_000).fill(7);
		const sent = Array.from({ length: 40 }, () => socket.emitWithAck("size", chunk, "ä".repeat(5000)));
		equal(await Promise.all(sent), Array(40).fill(30_000));
		await emptied(socket.io.engine);
	},

	async "counts what has not left yet"(connect) {
		const socket = connect();
		await event(socket, "connect");
		socket.emit("size", new Uint8Array(50_000), "");
		const { engine } = socket.io;
		equal(engine.bufferedAmount >= 50_000, true);
		await socket.emitWithAck("echo", 1);
		await emptied(engine);
	},

	async "answers the server's questions, binary too"(connect) {
		const socket = connect();
		socket.on("question", (text, answer) => answer(`${text}!`, new Uint8Array([1, 2])));
		socket.emit("ask", "ready");
		const [text, bytes] = await event(socket, "answered");
		equal([text, plain(bytes)], ["ready!", [1, 2]]);
	},

	async "sends what was emitted before it was connected"(connect) {
		const socket = connect("/", { autoConnect: false });
		const reply = socket.emitWithAck("echo", "early");
		equal(socket.active, false);
		socket.connect();
		equal(await reply, "early");
	},

	async "drops volatile events while not connected, and sends them afterwards"(connect) {
		const socket = connect();
		const got = [];
		socket.on("bounced", (what) => got.push(what));
		socket.volatile.emit("bounce", "lost");
		await event(socket, "connect");
		await idle(socket);
		socket.volatile.emit("bounce", "kept");
		socket.emit("bounce", "last");
		while (got.at(-1) !== "last") await event(socket, "bounced");
		equal(got, ["kept", "last"]);
	},

	async "gives up waiting for an ack"(connect) {
		const socket = connect();
		await event(socket, "connect");
		equal(await rejection(socket.timeout(50).emitWithAck("silent")), "operation has timed out");
		const args = await new Promise((resolve) => socket.timeout(5000).emit("echo", "x", (...args) => resolve(args)));
		equal(args, [null, "x"]);
	},

	async "rejects acks that cannot come any more"(connect) {
		const socket = connect();
		await event(socket, "connect");
		const reply = socket.emitWithAck("silent");
		socket.disconnect();
		equal(await rejection(reply), "socket has been disconnected");
	},

	async "hears everything with onAny, until told not to"(connect) {
		const socket = connect();
		const heard = [];
		const listener = (...args) => heard.push(args);
		socket.onAny(listener).onAnyOutgoing(listener);
		socket.emit("bounce", 1);
		await event(socket, "bounced");
		socket.offAny(listener).offAnyOutgoing();
		await socket.emitWithAck("echo", 2);
		equal(heard, [["bounce", 1], ["bounced", 1]]);
	},

	async "adds and removes listeners"(connect) {
		const socket = connect();
		const heard = [];
		const a = (x) => heard.push(`a${x}`);
		const b = (x) => heard.push(`b${x}`);
		socket.on("bounced", a).once("bounced", b).on("bounced", (x) => socket.off("bounced", x === 1 ? a : undefined));
		for (const x of [1, 2, 3]) socket.emit("bounce", x);
		await socket.emitWithAck("echo", 1);
		equal(heard, ["a1", "b1"]);
		equal(socket.hasListeners("bounced"), false);
	},

	async "refuses to emit its own events"(connect) {
		const socket = connect();
		for (const name of ["connect", "disconnect", "connect_error"]) {
			let message;
			try {
				socket.emit(name);
			} catch (err) {
				message = err.message;
			}
			equal(message, `"${name}" is a reserved event name`);
		}
	},

	async "shares a connection among namespaces"(connect, options) {
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

	async "says why it was disconnected: by the client, once what it sent has left"(connect) {
		const socket = connect();
		const other = connect();
		await Promise.all([event(socket, "connect"), event(other, "connect")]);
		const heard = event(other, "shouted");
		const reason = event(socket, "disconnect");
		socket.emit("shout", new Blob(["last words"]));
		socket.disconnect();
		equal((await reason)[0], "io client disconnect");
		equal(plain((await heard)[0]).length, 10);
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
		const attempt = ["reconnect_attempt", "error", "TransportError", "reconnect_error"];
		equal(heard, ["error", "TransportError", ...attempt, ...attempt]);
	},

	async "says why it was disconnected: the server fell silent"(connect) {
		const socket = connect("/", { path: "/scripted/", transports: ["polling"], reconnection: false });
		await event(socket, "connect");
		equal((await event(socket, "disconnect"))[0], "ping timeout");
		equal(socket.active, true);
	},

	async "says why it was disconnected: the server made no sense"(connect) {
		const nonsense = ["42", "42{}", "42[]", '42["connect"]', "42[1", "43", "49", "450-[1]", '451-["a",{"_placeholder":true,"num":1}]\x1ebAAAA'];
		nonsense.push('451-["a",{"_placeholder":true,"num":"length"}]\x1ebAAAA', '4511-["a"]', "bAAAA", '451-["a"]\x1e42["b"]', "7", "x");
		for (const say of nonsense) {
			const socket = connect("/", { path: "/scripted/", transports: ["polling"], reconnection: false, query: { say } });
			await event(socket, "connect");
			equal((await event(socket, "disconnect"))[0], "parse error", say);
		}
	},

	async "holds back what is too large for a POST while it may get a WebSocket"(connect, { transports }) {
		const socket = connect();
		const size = transports.includes("websocket") ? 90_000 : 60_000;
		equal(await socket.emitWithAck("size", new Blob([new Uint8Array(size)]), ""), size);
	},

	async "lives on through many pings"(connect) {
		const socket = connect();
		for (let i = 0; i < 4; i++) await event(socket.io, "ping");
		equal(await socket.emitWithAck("echo", "alive"), "alive");
	},

	async "does not let a listener that throws harm the others"(connect) {
		const socket = connect();
		const silence = (e) => e.preventDefault();
		addEventListener("error", silence);
		socket.on("bounced", () => {
			throw new Error("on purpose");
		});
		const heard = event(socket, "bounced");
		socket.emit("bounce", 1);
		await heard;
		equal(await socket.emitWithAck("echo", 2), 2);
		removeEventListener("error", silence);
	},
};

// event resolves with the arguments of the next event of that name.
function event(emitter, name) {
	return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

async function upgraded(socket) {
	if (socket.io.engine.transport.name !== "websocket") await event(socket.io.engine, "upgrade");
}

// idle resolves when what was sent has left and an upgrade has ended.
async function idle(socket) {
	const { opts } = socket.io.engine;
	if (opts.transports.length === 2) await upgraded(socket);
	while (!socket.io.engine.writable) await event(socket.io.engine, "drain");
}

// emptied resolves when nothing waits to leave: an answer may come by a GET before the POST is answered itself, and a WebSocket
// tells nobody when its buffer shrinks.
async function emptied(engine) {
	while (engine.bufferedAmount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function rejection(promise) {
	try {
		await promise;
	} catch (err) {
		return err.message;
	}
	throw new Error("it did not reject");
}

function within(ms, promise) {
	return Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error("took too long")), ms))]);
}

// plain turns binary, wherever it is, into lists of numbers.
function plain(value) {
	if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
	if (Array.isArray(value)) return value.map(plain);
	if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
	return value;
}

function equal(got, want, about = "") {
	const show = (value) => (value && typeof value === "object" && value.constructor !== Object && !Array.isArray(value) ? "object" : JSON.stringify(value));
	if (got !== want && show(got) !== show(want)) throw new Error(`got ${show(got)}; want ${show(want)} ${about}`);
	if (typeof want === "object" && want !== null && show(want) === "object" && got !== want) throw new Error("not the same object");
}
