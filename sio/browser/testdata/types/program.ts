// A program in the words of socket.io-client, held against our types and against its own.
import io, { connect, io as named, Manager, protocol, Socket } from "client";
import type { ManagerOptions, SocketOptions } from "client";

interface FromServer {
	news: (headline: string, picture: ArrayBuffer) => void;
	question: (text: string, answer: (reply: string) => void) => void;
}
interface FromUs {
	vote: (choice: number) => void;
	upload: (file: Blob, done: (size: number) => void) => void;
}

declare const parser: {
	Encoder: new () => { encode(packet: object): any[] };
	Decoder: new () => { add(message: any): void; on(event: string, listener: (packet: any) => void): void; destroy(): void };
};

const options: Partial<ManagerOptions & SocketOptions> = {
	path: "/socket.io/",
	addTrailingSlash: true,
	transports: ["polling", "websocket", "webtransport"],
	tryAllTransports: true,
	upgrade: true,
	rememberUpgrade: true,
	transportOptions: { polling: { extraHeaders: { a: "b" } }, webtransport: { serverCertificateHashes: [] } },
	closeOnBeforeunload: true,
	parser,
	query: { a: 1 },
	withCredentials: true,
	extraHeaders: { a: "b" },
	requestTimeout: 60_000,
	protocols: ["a"],
	autoConnect: false,
	timeout: 1,
	reconnection: true,
	reconnectionAttempts: 1,
	reconnectionDelay: 1,
	reconnectionDelayMax: 1,
	randomizationFactor: 0.5,
	forceNew: true,
	multiplex: false,
	auth: (send) => send({ token: "t" }),
	retries: 1,
	ackTimeout: 1,
};

const untyped: Socket = io();
io("/chat", options);
connect(options).emit("anything", 1, "two", new Uint8Array(3));
named("/").on("anything", (a, b) => a + b);
const five: number = protocol;

const socket: Socket<FromServer, FromUs> = io("/", options);
socket
	.on("connect", () => {})
	.on("connect_error", (err) => err.message + err.data)
	.on("disconnect", (reason, details) => reason === "transport error" && details instanceof Error)
	.on("news", (headline, picture) => headline.length + picture.byteLength)
	.once("question", (text, answer) => answer(text))
	.off("news");
socket.removeListener("news", () => {});
socket.removeAllListeners();
const count: number = socket.listeners("news").length;
const some: boolean = socket.hasListeners("news");
socket.emit("vote", 1);
socket.emit("upload", new Blob(), (size) => size.toFixed());
socket.timeout(5).emit("upload", new Blob(), (err, size) => err || size.toFixed());
socket.emitWithAck("upload", new Blob()).then((size) => size.toFixed());
socket.volatile.compress(false).emit("vote", 2);
socket.send("a", 1).connect().open().disconnect().close();
const flags: boolean[] = [socket.connected, socket.disconnected, socket.active, socket.recovered];
const id: string | undefined = socket.id;
socket.auth = { token: "t" };
socket.sendBuffer = [];
socket.receiveBuffer.length = 0;
const any = (event: string, ...args: any[]) => event + args.length;
socket.onAny(any).prependAny(any).offAny(any).offAny().listenersAny();
socket.onAnyOutgoing(any).prependAnyOutgoing(any).offAnyOutgoing(any).offAnyOutgoing().listenersAnyOutgoing();

const manager = new Manager("https://host.example", options);
new Manager(options);
manager.on("open", () => {}).on("ping", () => {}).on("reconnect_failed", () => {});
manager.on("error", (err) => err.message).on("reconnect_error", (err) => err.message);
manager.on("reconnect", (attempt) => attempt.toFixed()).on("reconnect_attempt", (attempt) => attempt.toFixed());
manager.on("close", (reason, details) => [reason, details]).on("packet", ({ type, nsp, data }) => [type, nsp, data]);
manager.open((err) => err?.message).connect().socket("/chat", { auth: {} });
manager.reconnection(true).reconnectionAttempts(1).reconnectionDelay(1).reconnectionDelayMax(1).randomizationFactor(0).timeout(1);
const delays: number[] = [manager.reconnectionAttempts(), manager.reconnectionDelay(), manager.reconnectionDelayMax(), manager.randomizationFactor()];
manager.opts.query = { a: 1 };

const { engine } = socket.io;
engine.once("upgrade", (transport) => transport.name);
engine.on("packet", ({ type, data }) => [type, data]).on("packetCreate", ({ type, data }) => [type, data]);
engine.on("drain", () => {}).on("close", (reason) => reason).on("handshake", ({ sid }) => sid);
const names: [string | undefined, string, string] = [engine.id, engine.transport.name, engine.readyState];
engine.close();

// @ts-expect-error: there is no such event
socket.emit("votes", 1);
// @ts-expect-error: a vote is a number
socket.emit("vote", "one");
// @ts-expect-error: a headline is text
socket.on("news", (headline: number) => headline);
// @ts-expect-error: its size is a number
socket.emitWithAck("upload", new Blob()).then((size: string) => size);

export { count, delays, five, flags, id, names, some, untyped };
