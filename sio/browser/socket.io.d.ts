// Types of the client in io.js.

type Listener = (...args: any[]) => void;

export type DisconnectReason =
	| "io server disconnect"
	| "io client disconnect"
	| "ping timeout"
	| "transport close"
	| "transport error"
	| "parse error"
	| "forced close";

export interface ManagerOptions {
	/** Where Socket.IO is found on the server; "/socket.io/". */
	path?: string;
	/** Added to the URL of every request. */
	query?: Record<string, string>;
	/** Tried in this order; ["polling", "websocket"]. */
	transports?: ("polling" | "websocket")[];
	/** Whether polling is followed by WebSocket where both are allowed; true. */
	upgrade?: boolean;
	/** Whether cookies go to another origin, too; false. */
	withCredentials?: boolean;
	/** Headers of the requests of polling. */
	extraHeaders?: Record<string, string>;
	/** Subprotocols of the WebSocket. */
	protocols?: string | string[];
	/** The constructor to use where there is no global one. */
	WebSocket?: unknown;
	/** Whether path ends in a slash; true. */
	addTrailingSlash?: boolean;
	/** Whether sockets connect when they are made; true. */
	autoConnect?: boolean;
	/** How many ms connecting may take; 20000. */
	timeout?: number | false;
	/** Whether a lost connection is made again; true. */
	reconnection?: boolean;
	/** How often that is tried; Infinity. */
	reconnectionAttempts?: number;
	/** ms before the first attempt, doubled with each; 1000. */
	reconnectionDelay?: number;
	/** The most ms before an attempt; 5000. */
	reconnectionDelayMax?: number;
	/** How much of the delay is left to chance, from 0 to 1; 0.5. */
	randomizationFactor?: number;
}

type Auth = Record<string, any>;

export interface SocketOptions {
	/** Sent with the request for the namespace, each time anew. */
	auth?: Auth | ((send: (auth: Auth) => void) => void);
	/** How many ms every ack is waited for; for ever. */
	ackTimeout?: number;
}

export interface Options extends ManagerOptions, SocketOptions {
	/** Whether this socket gets a connection of its own; false. */
	forceNew?: boolean;
	/** Whether it may share one; true. */
	multiplex?: boolean;
}

/** Emitter is for those who build on this client: subclasses fire their own events by _fire. */
export class Emitter {
	on(event: string, listener: Listener): this;
	once(event: string, listener: Listener): this;
	off(event?: string, listener?: Listener): this;
	listeners(event: string): Listener[];
	hasListeners(event: string): boolean;
	protected _fire(event: string, ...args: any[]): void;
}

export interface Transport {
	readonly name: "polling" | "websocket";
	/** Bytes handed over that have not left yet. */
	readonly bufferedAmount: number;
	readonly writable: boolean;
}

export interface Engine extends Emitter {
	readonly id: string;
	readonly transport: Transport;
	/** Bytes that have not left yet, those that wait for the transport included. */
	readonly bufferedAmount: number;
	readonly writable: boolean;
	readonly maxPayload: number;
	on(event: "upgrade", listener: (transport: Transport) => void): this;
	on(event: "drain" | "open" | "ping", listener: () => void): this;
	on(event: "close", listener: (reason: DisconnectReason, error?: Error) => void): this;
}

export class Manager extends Emitter {
	constructor(uri?: string | URL, options?: ManagerOptions);
	/** The present connection, or the last one. */
	readonly engine: Engine;
	readonly opts: ManagerOptions;
	socket(namespace: string, options?: SocketOptions): Socket;
	has(namespace: string): boolean;
	open(done?: (error?: Error) => void): this;
	connect(done?: (error?: Error) => void): this;
	disconnect(): void;
	on(event: "open" | "ping" | "reconnect_failed", listener: () => void): this;
	on(event: "error" | "reconnect_error", listener: (error: Error) => void): this;
	on(event: "close", listener: (reason: DisconnectReason, error?: Error) => void): this;
	on(event: "reconnect" | "reconnect_attempt", listener: (attempts: number) => void): this;
}

export class Socket extends Emitter {
	readonly io: Manager;
	readonly nsp: string;
	readonly id?: string;
	readonly connected: boolean;
	readonly disconnected: boolean;
	/** Whether the socket is connected, or will be without being told. */
	readonly active: boolean;
	/** Whether this connection goes on where the last one ended. */
	readonly recovered: boolean;
	auth?: SocketOptions["auth"];
	/** Makes the next event one that is dropped when it cannot leave soon. */
	readonly volatile: this;
	/** Bounds the wait for the next event's ack. */
	timeout(ms: number): this;
	connect(): this;
	open(): this;
	disconnect(): this;
	close(): this;
	send(...args: any[]): this;
	/** Binary (ArrayBuffer, views, Blob, File) may be anywhere in args; a last function takes the ack. */
	emit(event: string, ...args: any[]): this;
	emitWithAck(event: string, ...args: any[]): Promise<any>;
	on(event: "connect", listener: () => void): this;
	on(event: "connect_error", listener: (error: Error & { data?: any }) => void): this;
	on(event: "disconnect", listener: (reason: DisconnectReason, details?: Error) => void): this;
	on(event: string, listener: Listener): this;
	onAny(listener: (event: string, ...args: any[]) => void): this;
	offAny(listener?: Listener): this;
	onAnyOutgoing(listener: (event: string, ...args: any[]) => void): this;
	offAnyOutgoing(listener?: Listener): this;
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
