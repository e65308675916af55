import { emptied, equal, event, plain, reasonAfter } from "./lib.js";
import * as members from "../types/members.js";

/** What our client does and the stock one does not, by design; on every transport. */
export const tests = {
	async "has every member that its types list"(connect) {
		const socket = connect();
		await event(socket, "connect");
		const real = { socket, manager: socket.io, engine: socket.io.engine, transport: socket.io.engine.transport };
		for (const [name, object] of Object.entries(real)) equal(members[name].filter((member) => !(member in object)), [], name);
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

	async "holds back what is too large for a POST while it may get a WebSocket"(connect, { transports }) {
		const socket = connect();
		const size = transports.length > 1 || transports[0] !== "polling" ? 90_000 : 60_000;
		equal(await socket.emitWithAck("size", new Blob([new Uint8Array(size)]), ""), size);
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

	async "sends and takes empty attachments"(connect) {
		const back = await connect().emitWithAck("echo", [new Blob(), new Uint8Array(), "text"]);
		equal(back.map(plain), [[], [], "text"]);
	},

	async "fills a POST to the byte, and no further"(connect) {
		const socket = connect();
		const chunk = new Uint8Array(20_000).fill(7); // the stock client takes base64 for a little smaller than it is
		const sent = Array.from({ length: 40 }, () => socket.emitWithAck("size", chunk, "ä".repeat(5000)));
		equal(await Promise.all(sent), Array(40).fill(30_000));
	},

	async "takes no event without a name, and no ack without arguments"(connect) {
		for (const say of ["42", "43"]) equal(await reasonAfter(connect, say), "parse error", say);
	},

	async "does not answer a question of an earlier connection"(connect) {
		const socket = connect();
		const answered = [];
		socket.on("answered", (x) => answered.push(x));
		socket.emit("ask", "early");
		const [, answer] = await event(socket, "question");
		socket.io.engine.close();
		await event(socket, "connect");
		socket.emit("ask", "late");
		const [, answerNow] = await event(socket, "question");
		answer("to the wrong question");
		answerNow("to the right one");
		await event(socket, "answered");
		equal(answered, ["to the right one"]);
	},
};
