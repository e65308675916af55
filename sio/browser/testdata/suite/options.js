import { equal, event, plain, trusting, until, upgraded } from "./lib.js";

const both = { transports: ["polling", "websocket"] };

/** Options, the manager and the engine: what does not depend on the transport, or chooses it. */
export const tests = {
	async "finds the namespace in what people write"(connect, { io }) {
		const nsp = (uri) => io(uri, { autoConnect: false, forceNew: true }).nsp;
		const written = ["/", "/chat", "http://x.example", "https://x.example/a/b?c=d", "ws://x.example/ä", "//x.example/c", "x.example:3000/d"];
		equal(written.map(nsp), ["/", "/chat", "/", "/a/b", "/ä", "/c", "/d"]);
		equal([io({ autoConnect: false, forceNew: true }).nsp, io.connect === io.io], ["/", true]);
	},

	async "sends its query, and that of the URL"(connect) {
		equal((await connect("/", { query: { x: "a b" } }).emitWithAck("handshake")).x, "a b");
		equal((await connect("/?x=c").emitWithAck("handshake")).x, "c");
		equal((await connect("/", { transports: ["websocket"], query: { x: "d" } }).emitWithAck("handshake")).x, "d");
	},

	async "sends extra headers with polling"(connect) {
		equal((await connect("/", { extraHeaders: { "x-suite": "all" } }).emitWithAck("handshake")).header, "all");
		const transportOptions = { polling: { extraHeaders: { "x-suite": "polling" } } };
		equal((await connect("/", { transportOptions }).emitWithAck("handshake")).header, "polling");
	},

	async "sends cookies to another origin when told to"(connect) {
		document.cookie = "suite=biscuit";
		equal((await connect("/", { transports: ["polling"] }).emitWithAck("handshake")).cookie, "");
		equal((await connect("/", { transports: ["polling"], withCredentials: true }).emitWithAck("handshake")).cookie, "suite=biscuit");
	},

	async "leaves the slash at the end of the path away when told to"(connect) {
		const socket = connect("/", { path: "/scripted/bare/", addTrailingSlash: false, transports: ["polling"] });
		await event(socket, "connect");
	},

	async "begins with the transport that is named first"(connect) {
		const socket = connect("/", { transports: ["websocket", "polling"] });
		equal(socket.io.engine.transport.name, "websocket");
		await event(socket, "connect");
		equal(socket.io.engine.transport.name, "websocket");
	},

	async "stays on polling when told to"(connect) {
		const socket = connect("/", { ...both, upgrade: false });
		await event(socket.io, "ping");
		equal(socket.io.engine.transport.name, "polling");
	},

	async "remembers that WebSocket works"(connect) {
		const first = connect("/", both);
		await event(first, "connect");
		await upgraded(first);
		const second = connect("/", { ...both, rememberUpgrade: true });
		equal(second.io.engine.transport.name, "websocket");
		await event(second, "connect");
		equal(connect("/", both).io.engine.transport.name, "polling");
	},

	async "tries all transports when told to"(connect) {
		const options = { path: "/scripted/", transports: ["websocket", "polling"], reconnection: false };
		const [err] = await event(connect("/", options), "connect_error");
		equal([err.message, err.type], ["websocket error", "TransportError"]);
		const socket = connect("/", { ...options, tryAllTransports: true });
		await event(socket, "connect");
		equal(socket.io.engine.transport.name, "polling");
	},

	async "gives up connecting after its timeout"(connect) {
		for (const transports of [["polling"], ["websocket"]]) {
			const socket = connect("/", { path: "/scripted/silent/", transports, timeout: 100, reconnection: false });
			equal((await event(socket, "connect_error"))[0].message, "timeout");
		}
	},

	async "says what the server answered instead"(connect) {
		const [err] = await event(connect("/", { path: "/scripted/missing/", transports: ["polling"], reconnection: false }), "connect_error");
		equal([err.message, err.description, typeof err.context.responseText], ["xhr poll error", 404, "string"]);
	},

	async "closes its connection when the page is left, without a word to the page"(connect) {
		const witness = connect();
		for (const transports of [["polling"], ["websocket"]]) {
			const socket = connect("/", { transports, closeOnBeforeunload: true });
			await event(socket, "connect");
			let heard = false;
			socket.on("disconnect", () => (heard = true));
			dispatchEvent(new Event("beforeunload"));
			while (await witness.emitWithAck("knows", socket.id));
			equal(heard, false);
		}
	},

	async "shares its connection, unless told otherwise"(connect) {
		const shared = { forceNew: false };
		const [a, b, again] = [connect("/", shared), connect("/nowhere", shared), connect("/", shared)];
		const [alone, single] = [connect("/admin"), connect("/admin", { multiplex: false, forceNew: false })];
		equal([b, again, alone, single].map((socket) => socket.io === a.io), [true, false, false, false]);
		await event(a, "connect");
	},

	async "has a manager with options that can be read and changed"(connect) {
		const { io: manager } = connect("/", { autoConnect: false, reconnectionDelay: 7, reconnectionAttempts: 3, timeout: 9 });
		equal([manager.reconnectionDelay(), manager.reconnectionAttempts(), manager.timeout()], [7, 3, 9]);
		equal([manager.reconnection(), manager.reconnectionDelayMax(), manager.randomizationFactor()], [true, 5000, 0.5]);
		manager.reconnection(false).reconnectionAttempts(4).reconnectionDelay(5).reconnectionDelayMax(6).randomizationFactor(0).timeout(8);
		equal([manager.reconnection(), manager.reconnectionAttempts(), manager.reconnectionDelay()], [false, 4, 5]);
		equal([manager.reconnectionDelayMax(), manager.randomizationFactor(), manager.timeout()], [6, 0, 8]);
	},

	async "has a manager that works by itself"(connect, { Manager, url, scripted }) {
		const manager = new Manager(url, { forceNew: true });
		const heard = [];
		for (const name of ["open", "packet", "close"]) manager.on(name, (arg) => heard.push([name, arg?.type ?? arg]));
		await event(manager, "open");
		const socket = manager.socket("/");
		await event(socket, "connect");
		socket.disconnect();
		equal(heard, [["open", undefined], ["packet", 0], ["close", "forced close"]]);

		const lonely = new Manager({ path: "/nothing-here/", reconnectionDelay: 10, autoConnect: false });
		equal(await new Promise((resolve) => lonely.open(resolve)) instanceof Error, true);
		lonely.open();
		await event(lonely, "reconnect_error");
		lonely.disconnect();
	},

	async "has an engine that tells of its packets and its transports"(connect) {
		const socket = connect("/", both);
		const { engine } = socket.io;
		const [came, went, changes] = [[], [], []];
		engine.on("packet", ({ type, data }) => came.push([type, typeof data]));
		engine.on("packetCreate", ({ type, data }) => went.push([type, data]));
		for (const name of ["upgrading", "upgrade"]) engine.on(name, (transport) => changes.push([name, transport.name]));
		const handshake = event(engine, "handshake");
		const upgrade = event(engine, "upgrade");
		equal(engine.readyState, "opening");
		await event(socket, "connect");
		equal([typeof engine.id, engine.readyState], ["string", "open"]);
		const [{ sid, pingInterval, maxPayload }] = await handshake;
		equal([typeof sid, pingInterval, maxPayload], ["string", 300, 100_000]);
		equal([came[0], came.some(([type]) => type === "message")], [["open", "string"], true]);
		equal(went[0], ["message", "0"]);
		await upgrade;
		await event(engine, "ping");
		equal(went.at(-1)[0], "pong");
		equal(changes, [["upgrading", "websocket"], ["upgrade", "websocket"]]);
		const closed = event(engine, "close");
		socket.disconnect();
		await closed;
		equal(engine.readyState, "closed");
	},

	async "tells of an upgrade that failed"(connect) {
		const socket = connect("/", { path: "/scripted/", ...both, query: { upgrades: "websocket" } });
		const failed = event(socket.io.engine, "upgradeError");
		await event(socket, "connect");
		equal((await failed)[0].transport, "websocket");
		equal(socket.io.engine.transport.name, "polling");
	},
};

/** With a server that speaks msgpack. */
export const msgpack = {
	async "speaks what its parser does"(connect, { msgpack }) {
		const { default: parser } = await import("/parser.js");
		const socket = connect("/", { to: msgpack, parser });
		const args = [1, { bytes: new Uint8Array([1, 2]).buffer }, "ü", null];
		const back = await new Promise((resolve) => socket.emit("echo", ...args, (...back) => resolve(back)));
		equal(back.map(plain), [1, { bytes: [1, 2] }, "ü", null]);
		const admin = socket.io.socket("/admin", { auth: { token: "wrong" } });
		equal((await event(admin, "connect_error"))[0].data, { why: "token" });
		const got = []; // both may come in one answer to a poll
		socket.on("bounced", (what) => got.push(what)).emit("bounce", "there").emit("bounce", "and back");
		await until(socket, "bounced", () => got.length === 2);
		equal(got, ["there", "and back"]);
	},
};

/** With a server that has WebTransport. */
export const webtransport = {
	async "prefers WebTransport to WebSocket, where there is one"(connect) {
		const all = { transports: ["polling", "websocket", "webtransport"] };
		let socket;
		let refused = 0;
		do {
			socket = connect("/", all);
			socket.io.engine.on("upgradeError", () => refused++);
			await event(socket, "connect");
			await upgraded(socket);
		} while (socket.io.engine.transport.name !== "webtransport"); // it is ahead by 200 ms, which may be short on a busy machine
		equal([await socket.emitWithAck("echo", "by stream"), refused], ["by stream", 0]);

		const distrustful = connect("/", { ...all, transportOptions: { webtransport: trusting("00".repeat(32)) } });
		await event(distrustful, "connect");
		if (distrustful.io.engine.transport.name === "polling") await event(distrustful.io.engine, "upgrade");
		equal(distrustful.io.engine.transport.name, "websocket");
	},
};
