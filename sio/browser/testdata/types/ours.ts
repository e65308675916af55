// What only our client has, and a list of all it has, which the suite looks for in the real objects.
import { connect, Emitter, io, Manager, Socket } from "client";
import type { DisconnectReason, Engine, Transport, TransportError } from "client";
import * as members from "./members.js";

type Unlisted<T, List extends readonly PropertyKey[]> = [Exclude<keyof T, List[number]>, Exclude<List[number], keyof T>];
const complete: [
	Unlisted<Socket, typeof members.socket>,
	Unlisted<Manager, typeof members.manager>,
	Unlisted<Engine, typeof members.engine>,
	Unlisted<Transport, typeof members.transport>,
] extends [never, never][] ? true : "members.js lacks some, or has more" = true;

class Counter extends Emitter<{ count: (n: number) => void }> {
	add(n: number) {
		this._fire("count", n);
		// @ts-expect-error: a count is a number
		this._fire("count", "one");
	}
}
new Counter().on("count", (n) => n.toFixed()).addEventListener("count", () => {}).removeEventListener("count");

const socket = io("/", { query: "a=b", timeout: false, WebSocket: globalThis.WebSocket });
const { engine, opts } = socket.io;
const pace: number[] = [engine.bufferedAmount, engine.transport.bufferedAmount, engine.maxPayload];
const soon: boolean[] = [engine.writable, engine.transport.writable, socket.io.has(socket.nsp)];
const forced: DisconnectReason = "forced close";
socket.on("connect_error", (err) => (err as unknown as TransportError).description);
engine.on("upgradeError", (err) => err.transport).on("upgrading", ({ name }) => name).on("message", (data) => data).on("error", (err) => err);
new io.Manager(new URL("https://host.example"), opts).disconnect();
new io.Socket(socket.io, "/chat", {});
const same: boolean[] = [io.connect === connect, io.io === io, io.protocol === 5];

export { complete, forced, pace, same, soon };
