// event resolves with the arguments of the next event of that name.
export function event(emitter, name) {
	return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

// upgraded resolves when an upgrade has ended, and rejects when it has failed.
export async function upgraded(socket) {
	const { engine } = socket.io;
	if (engine.transport.name !== "polling") return;
	const failed = event(engine, "upgradeError").then(([err]) => Promise.reject(err));
	await Promise.race([event(engine, "upgrade"), failed]);
}

// settled resolves when what was sent has left and an upgrade has ended.
export async function settled(socket) {
	const { engine } = socket.io;
	if (engine.opts.transports.length > 1) await upgraded(socket);
	while (!(engine.writable ?? engine.transport.writable)) await event(engine, "drain");
}

// arrived resolves when an event that one socket has the server send to all others has come to the other.
export async function arrived(socket, sender, ...args) {
	const came = event(socket, `${args[0]}ed`);
	sender.emit(...args);
	await came;
}

// reasonAfter is the reason of the disconnect when the server says what makes no sense.
export async function reasonAfter(connect, say) {
	const socket = connect("/", { path: "/scripted/", transports: ["polling"], reconnection: false, query: { say } });
	await event(socket, "connect");
	return (await event(socket, "disconnect"))[0];
}

// trusting is what a WebTransport needs for a certificate of which it has the hash only.
export function trusting(certificate) {
	const value = Uint8Array.from(certificate.match(/../g), (digits) => parseInt(digits, 16));
	return { serverCertificateHashes: [{ algorithm: "sha-256", value }] };
}

// until resolves when a condition holds, which is so after some event.
export async function until(emitter, name, condition) {
	while (!condition()) await event(emitter, name);
}

// emptied resolves when nothing waits to leave: an answer may come by a GET before the POST is answered itself, and a WebSocket
// tells nobody when its buffer shrinks.
export async function emptied(engine) {
	while (engine.bufferedAmount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

export async function rejection(promise) {
	try {
		await promise;
	} catch (err) {
		return err.message;
	}
	throw new Error("it did not reject");
}

export function within(ms, promise) {
	return Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error("took too long")), ms))]);
}

// plain turns binary, wherever it is, into lists of numbers.
export function plain(value) {
	if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
	if (Array.isArray(value)) return value.map(plain);
	if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
	return value;
}

export function equal(got, want, about = "") {
	const show = (value) => (value && typeof value === "object" && value.constructor !== Object && !Array.isArray(value) ? "object" : JSON.stringify(value));
	if (got !== want && show(got) !== show(want)) throw new Error(`got ${show(got)}; want ${show(want)} ${about}`);
	if (typeof want === "object" && want !== null && show(want) === "object" && got !== want) throw new Error("not the same object");
}
