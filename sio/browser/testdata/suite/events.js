import { equal, event, plain, rejection, settled } from "./lib.js";

/** Events, acks and those who listen, on every transport. */
export const tests = {
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

	async "keeps the order of events, with attachments between them"(connect, { stockStream }) {
		const socket = connect();
		const got = [];
		const done = new Promise((resolve) => socket.on("bounced", (n) => got.push(n.byteLength ?? n) === 60 && resolve()));
		for (let i = 1; i <= 60; i++) socket.emit("bounce", i % 3 ? i : stockStream ? new Uint8Array(i) : new Blob([new Uint8Array(i)]));
		await done;
		equal(got, Array.from({ length: 60 }, (_, i) => i + 1));
	},

	async "splits what does not fit in one POST"(connect) {
		const socket = connect();
		const chunk = new Uint8Array(20_000).fill(7);
		const sent = Array.from({ length: 40 }, () => socket.emitWithAck("size", chunk, "ä".repeat(6000)));
		equal(await Promise.all(sent), Array(40).fill(32_000));
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
		await settled(socket);
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

	async "can be told not to send what waits"(connect) {
		const socket = connect("/", { autoConnect: false });
		socket.emit("bounce", "dropped");
		equal(socket.sendBuffer.map((packet) => packet.data), [["bounce", "dropped"]]);
		socket.sendBuffer = [];
		socket.emit("bounce", "sent").connect();
		equal(await event(socket, "bounced"), ["sent"]);
		equal(socket.receiveBuffer, []);
	},

	async "does not send what waited for too long"(connect) {
		const socket = connect("/", { autoConnect: false });
		equal(await rejection(socket.timeout(20).emitWithAck("echo", 1)), "operation has timed out");
		equal(socket.sendBuffer, []);
		equal(await rejection(connect("/", { autoConnect: false, ackTimeout: 20 }).emitWithAck("echo", 1)), "operation has timed out");
	},

	async "sends again what is not acknowledged, one event at a time"(connect) {
		const socket = connect("/", { retries: 10, ackTimeout: 250 });
		const sent = [];
		socket.onAnyOutgoing((name) => sent.push(name));
		const key = `${Math.random()}`;
		socket.emit("flaky", key);
		const [err, what] = await new Promise((resolve) => socket.emit("echo", "after", (...args) => resolve(args)));
		equal([err, what], [null, "after"]);
		equal(sent.lastIndexOf("flaky") >= 2 && sent.indexOf("echo") > sent.lastIndexOf("flaky"), true, sent);
		equal(await socket.emitWithAck("echo", "again"), "again");
	},

	async "gives up after as many retries as it was told"(connect) {
		const socket = connect("/", { retries: 2, ackTimeout: 30 });
		await event(socket, "connect");
		let sent = 0;
		socket.onAnyOutgoing(() => sent++);
		equal(await rejection(socket.emitWithAck("silent")), "operation has timed out");
		equal(sent, 3);
		await settled(socket);
		socket.volatile.emit("silent");
		equal(sent, 4);
	},

	async "listens to all events in the order it was told"(connect) {
		const socket = connect();
		const heard = [];
		const [a, b] = ["a", "b"].map((name) => (event, ...args) => heard.push([name, event, ...args]));
		socket.onAny(a).prependAny(b).onAnyOutgoing(a).prependAnyOutgoing(b);
		equal([socket.listenersAny(), socket.listenersAnyOutgoing()].map((list) => list[0] === b && list[1] === a), [true, true]);
		socket.compress(false).emit("bounce", 1);
		await event(socket, "bounced");
		const [out, back] = [["bounce", 1], ["bounced", 1]];
		equal(heard, [["b", ...out], ["a", ...out], ["b", ...back], ["a", ...back]]);
		socket.offAny().offAnyOutgoing(b);
		equal([socket.listenersAny().length, socket.listenersAnyOutgoing().length], [0, 1]);
	},

	async "has the other names of on and off"(connect) {
		const socket = connect("/", { autoConnect: false });
		const listener = () => {};
		socket.addEventListener("x", listener).on("x", listener).once("x", listener);
		equal(socket.listeners("x").length, 3);
		socket.removeListener("x", listener);
		equal(socket.listeners("x").length, 2);
		socket.removeEventListener("x", listener).off("x", listener);
		equal(socket.hasListeners("x"), false);
		equal(socket.on("x", listener).removeAllListeners("x").hasListeners("x"), false);
		equal(socket.on("x", listener).on("y", listener).off().hasListeners("y"), false);
	},

	async "sends what send is given as a message"(connect) {
		const socket = connect("/", { autoConnect: false });
		equal(socket.send("a", 1).sendBuffer[0].data, ["message", "a", 1]);
	},
};
