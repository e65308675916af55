// The members that the types list. ours.ts checks that none is missing here, the suite that the client has them.

const emitter = /** @type {const} */ ([
	"on", "once", "off", "addEventListener", "removeEventListener", "removeListener", "removeAllListeners", "listeners", "hasListeners",
]);

export const socket = /** @type {const} */ ([
	...emitter, "io", "nsp", "id", "connected", "disconnected", "active", "recovered", "auth", "sendBuffer", "receiveBuffer", "volatile",
	"compress", "timeout", "connect", "open", "disconnect", "close", "send", "emit", "emitWithAck", "onAny", "prependAny", "offAny",
	"listenersAny", "onAnyOutgoing", "prependAnyOutgoing", "offAnyOutgoing", "listenersAnyOutgoing",
]);

export const manager = /** @type {const} */ ([
	...emitter, "engine", "opts", "socket", "has", "open", "connect", "disconnect", "reconnection", "reconnectionAttempts",
	"reconnectionDelay", "reconnectionDelayMax", "randomizationFactor", "timeout",
]);

export const engine = /** @type {const} */ ([
	...emitter, "id", "transport", "readyState", "bufferedAmount", "writable", "maxPayload", "close",
]);

export const transport = /** @type {const} */ (["name", "bufferedAmount", "writable"]);
