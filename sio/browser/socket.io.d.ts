// Types of the client in io.js. Those with the names of socket.io-client's mean the same, so that a program may change from one to
// the other.

/** Events by name, each with the type of its listener. */
export interface EventsMap {
	[event: string]: any;
}

export interface DefaultEventsMap {
	[event: string]: (...args: any[]) => void;
}

type Name<Map> = keyof Map & (string | symbol);
type Arguments<Map extends EventsMap, Event extends keyof Map> = Parameters<Map[Event]>;
type Last<T extends any[]> = T extends [...any[], infer L] ? L : any;
type AllButLast<T extends any[]> = T extends [...infer H, any] ? H : any[];
type FirstArgument<T> = T extends (argument: infer A, ...more: any[]) => any ? A : any;

/** The same events, with acks whose functions take an error first. */
export type DecorateAcknowledgements<Events> = {
	[Event in keyof Events]: Events[Event] extends (...args: infer Args) => infer Result
		? (...args: { [I in keyof Args]: Args[I] extends (...ack: infer Ack) => infer R ? (err: Error | null, ...ack: Ack) => R : Args[I] }) => Result
		: Events[Event];
};

export type DisconnectReason =
	| "io server disconnect"
	| "io client disconnect"
	| "ping timeout"
	| "transport close"
	| "transport error"
	| "parse error"
	| "forced close";

/** What is known of why a connection ended. */
export type DisconnectDescription = Error | { description: string; context?: unknown };

export interface ExtendedError extends Error {
	/** What the server's middleware gave as data. */
	data?: any;
}

/** What a transport fails with. */
export interface TransportError extends Error {
	type: "TransportError";
	/** The status of a response, or the event of a WebSocket. */
	description: any;
	/** {status, responseText} of a response. */
	context?: any;
}

export type TransportName = "polling" | "websocket" | "webtransport";

interface TransportOptions {
	/** Added to the URL of every request, but for WebTransport's. */
	query?: Record<string, any> | string;
	/** Whether cookies go to another origin, too, with polling; false. */
	withCredentials?: boolean;
	/** Headers of the requests of polling. */
	extraHeaders?: Record<string, string>;
	/** How many ms a request of polling may take, longer than the server's pingInterval; for ever. */
	requestTimeout?: number;
	/** Subprotocols of the WebSocket. */
	protocols?: string | string[];
}

export interface ManagerOptions extends TransportOptions {
	/** Where Socket.IO is found on the server; "/socket.io/". */
	path: string;
	/** Whether path ends in a slash; true. */
	addTrailingSlash: boolean;
	/** The first is tried, and those after it if the server offers an upgrade; ["polling", "websocket", "webtransport"]. */
	transports: TransportName[];
	/** Whether the others are tried when the first fails; false. */
	tryAllTransports: boolean;
	/** Whether polling is followed by a WebSocket or WebTransport where they are allowed; true. */
	upgrade: boolean;
	/** Whether to begin with a WebSocket when the last connection had one; false. */
	rememberUpgrade: boolean;
	/** Options of one transport: of polling and websocket those above, of webtransport those of the browser's WebTransport. */
	transportOptions: {
		polling?: TransportOptions;
		websocket?: TransportOptions;
		/** WebTransportOptions, serverCertificateHashes for one. */
		webtransport?: object;
	};
	/** The constructor to use where there is no global one. */
	WebSocket: unknown;
	/** What turns packets into messages and back, socket.io-msgpack-parser for one; JSON with attachments. */
	parser: Parser;
	/** Whether the connection is closed, without an event, when the page is left; false. */
	closeOnBeforeunload: boolean;
	/** Whether a connection is opened when the manager is made, and sockets connect; true. */
	autoConnect: boolean;
	/** How many ms connecting may take; 20000. */
	timeout: number | false;
	/** Whether a lost connection is made again; true. */
	reconnection: boolean;
	/** How often that is tried; Infinity. */
	reconnectionAttempts: number;
	/** ms before the first attempt, doubled with each; 1000. */
	reconnectionDelay: number;
	/** The most ms before an attempt; 5000. */
	reconnectionDelayMax: number;
	/** How much of the delay is left to chance, from 0 to 1; 0.5. */
	randomizationFactor: number;
	/** Whether a socket gets a connection of its own; false. */
	forceNew: boolean;
	/** Whether it may share one; true. */
	multiplex: boolean;
}

/** Parser turns packets into messages, of text or binary, that belong together, and back. */
export interface Parser {
	Encoder: new () => { encode(packet: Packet): any[] };
	Decoder: new () => {
		add(message: any): void;
		on(event: "decoded", listener: (packet: Packet) => void): any;
		destroy(): void;
	};
}

type Auth = { [key: string]: any };

export interface SocketOptions {
	/** Sent with the request for the namespace, each time anew. */
	auth?: Auth | ((send: (auth: object) => void) => void);
	/** How often an event is sent again that is not acknowledged. Events are then sent one at a time; needs ackTimeout. */
	retries?: number;
	/** How many ms every ack is waited for; for ever. */
	ackTimeout?: number;
}

export type Options = Partial<ManagerOptions & SocketOptions>;

/** Emitter keeps listeners. Subclasses fire their own events by _fire. */
export class Emitter<Events extends EventsMap = DefaultEventsMap> {
	on<E extends Name<Events>>(event: E, listener: Events[E]): this;
	once<E extends Name<Events>>(event: E, listener: Events[E]): this;
	/** Removes one listener, all of an event, or, without arguments, all. */
	off<E extends Name<Events>>(event?: E, listener?: Events[E]): this;
	addEventListener<E extends Name<Events>>(event: E, listener: Events[E]): this;
	removeEventListener<E extends Name<Events>>(event?: E, listener?: Events[E]): this;
	removeListener<E extends Name<Events>>(event?: E, listener?: Events[E]): this;
	removeAllListeners<E extends Name<Events>>(event?: E): this;
	listeners<E extends Name<Events>>(event: E): Events[E][];
	hasListeners<E extends Name<Events>>(event: E): boolean;
	protected _fire<E extends Name<Events>>(event: E, ...args: Arguments<Events, E>): void;
}

export interface Transport {
	readonly name: TransportName;
	/** Bytes handed over that have not left yet. */
	readonly bufferedAmount: number;
	readonly writable: boolean;
}

/** A packet of the engine: its type, a word, and its data. */
export interface EnginePacket {
	type: "open" | "close" | "ping" | "pong" | "message" | "upgrade" | "noop";
	data: string | ArrayBuffer | ArrayBufferView | Blob;
}

export interface EngineEvents {
	open: () => void;
	handshake: (data: { sid: string; upgrades: string[]; pingInterval: number; pingTimeout: number; maxPayload?: number }) => void;
	packet: (packet: EnginePacket) => void;
	packetCreate: (packet: EnginePacket) => void;
	message: (data: string | ArrayBuffer) => void;
	ping: () => void;
	drain: () => void;
	upgrading: (transport: Transport) => void;
	upgrade: (transport: Transport) => void;
	upgradeError: (err: Error & { transport: TransportName }) => void;
	error: (err: Error) => void;
	close: (reason: DisconnectReason, details?: DisconnectDescription) => void;
}

/** Engine is one connection. */
export interface Engine extends Emitter<EngineEvents> {
	/** The server's name for this connection; a secret. */
	readonly id?: string;
	readonly transport: Transport;
	readonly readyState: "opening" | "open" | "closing" | "closed";
	/** Bytes that have not left yet, those that wait for the transport included. */
	readonly bufferedAmount: number;
	/** Whether what is sent now leaves soon. */
	readonly writable: boolean;
	/** How many bytes the server reads of one POST. */
	readonly maxPayload: number;
	close(): void;
}

/** A packet of Socket.IO: 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR. */
export interface Packet {
	type: 0 | 1 | 2 | 3 | 4;
	nsp?: string;
	id?: number;
	data?: any;
}

export interface ManagerReservedEvents {
	open: () => void;
	error: (err: Error) => void;
	ping: () => void;
	packet: (packet: Packet) => void;
	close: (reason: DisconnectReason, details?: DisconnectDescription) => void;
	reconnect_failed: () => void;
	reconnect_attempt: (attempt: number) => void;
	reconnect_error: (err: Error) => void;
	reconnect: (attempt: number) => void;
}

/** Manager keeps a connection up for the sockets that share it. */
export class Manager<
	ListenEvents extends EventsMap = DefaultEventsMap,
	EmitEvents extends EventsMap = ListenEvents,
> extends Emitter<ManagerReservedEvents> {
	constructor(options: Options);
	constructor(uri?: string | URL, options?: Options);
	/** The present connection, or the last one. */
	readonly engine: Engine;
	/** What is changed here counts for the next connection. */
	opts: Options;
	socket(namespace: string, options?: Partial<SocketOptions>): Socket<ListenEvents, EmitEvents>;
	/** Whether a namespace has a socket here. */
	has(namespace: string): boolean;
	/** Connects. done is told how that ended; without it a failure is followed by further attempts. */
	open(done?: (err?: Error) => void): this;
	connect(done?: (err?: Error) => void): this;
	/** Closes the connection, for all sockets and until one of them is told to connect. */
	disconnect(): void;
	reconnection(): boolean;
	reconnection(value: boolean): this;
	reconnectionAttempts(): number;
	reconnectionAttempts(value: number): this;
	reconnectionDelay(): number;
	reconnectionDelay(value: number): this;
	reconnectionDelayMax(): number;
	reconnectionDelayMax(value: number): this;
	randomizationFactor(): number;
	randomizationFactor(value: number): this;
	timeout(): number | false;
	timeout(value: number | false): this;
}

export interface SocketReservedEvents {
	connect: () => void;
	connect_error: (err: ExtendedError) => void;
	disconnect: (reason: DisconnectReason, details?: DisconnectDescription) => void;
}

type AnyListener = (event: string, ...args: any[]) => void;

/** Socket is a namespace on a manager's connection. */
export class Socket<ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents> extends Emitter<
	Omit<ListenEvents, keyof SocketReservedEvents> & SocketReservedEvents
> {
	constructor(manager: Manager<any, any>, namespace: string, options?: Partial<SocketOptions>);
	readonly io: Manager<ListenEvents, EmitEvents>;
	readonly nsp: string;
	/** The server's name for this socket, undefined while not connected. */
	readonly id: string | undefined;
	readonly connected: boolean;
	readonly disconnected: boolean;
	/** Whether the socket is connected, or will be without being told. */
	readonly active: boolean;
	/** Whether this connection goes on where the last one ended. */
	readonly recovered: boolean;
	auth: SocketOptions["auth"];
	/** Events emitted while not connected. */
	sendBuffer: Packet[];
	/** The arguments of events that came before the server's answer. */
	receiveBuffer: any[][];
	/** Makes the next event one that is dropped when it cannot leave soon. */
	readonly volatile: this;
	/** Does nothing: browsers decide about compression. */
	compress(compress: boolean): this;
	/** Bounds the wait for the next event's ack, in ms. */
	timeout(ms: number): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>>;
	connect(): this;
	open(): this;
	disconnect(): this;
	close(): this;
	/** Emits "message". */
	send(...args: any[]): this;
	/** Binary (ArrayBuffer, views, Blob, File) may be anywhere in args; a last function takes the ack. */
	emit<E extends Name<EmitEvents>>(event: E, ...args: Arguments<EmitEvents, E>): this;
	/** Resolves with the first argument of the ack; rejects on a timeout or a disconnect. */
	emitWithAck<E extends Name<EmitEvents>>(
		event: E,
		...args: AllButLast<Arguments<EmitEvents, E>>
	): Promise<FirstArgument<Last<Arguments<EmitEvents, E>>>>;
	onAny(listener: AnyListener): this;
	prependAny(listener: AnyListener): this;
	offAny(listener?: AnyListener): this;
	listenersAny(): AnyListener[];
	onAnyOutgoing(listener: AnyListener): this;
	prependAnyOutgoing(listener: AnyListener): this;
	offAnyOutgoing(listener?: AnyListener): this;
	listenersAnyOutgoing(): AnyListener[];
}

export interface IO {
	(uri?: string, options?: Options): Socket;
	(options: Options): Socket;
	io: IO;
	connect: IO;
	Manager: typeof Manager;
	Socket: typeof Socket;
	protocol: 5;
}

export const io: IO;
export const connect: IO;
export const protocol: 5;
export default io;
