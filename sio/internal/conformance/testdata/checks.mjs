// What every Socket.IO client in JavaScript must be able to do with our server, old ones too. check returns what it did, by name.

const PATIENCE = 20_000;

export const names = ["connect", "event", "ack", "binary", "binary ack", "reconnect", "recovery"];

/**
 * check goes through it. bytes makes what the client takes for binary of an array; url is the server's, and cut where to ask
 * for all its connections to be cut, as a broken network does; recovers is whether the client can recover.
 */
export async function check({ io, url, options, bytes, cut, recovers }) {
	const done = [];
	const sockets = [];
	const connect = (namespace) => {
		const socket = io(url + namespace, { forceNew: true, reconnectionDelay: 10, randomizationFactor: 0, ...options });
		sockets.push(socket);
		return socket;
	};
	const steps = {
		async connect(socket) {
			await on(socket, "connect");
			if (options.transports?.length !== 1) await upgraded(socket, options.transports);
		},
		async event(socket) {
			socket.emit("hi");
			await on(socket, "hi");
			socket.emit("getUtf8");
			equal((await on(socket, "takeUtf8"))[0], "てすと"); // behind it comes the offset, for recovery
		},
		async ack(socket) {
			equal(await ask(socket, "echo", { a: [1, "ü", null] }), { a: [1, "ü", null] });
			const answered = on(socket, "got it");
			socket.on("ack", (done) => done(5, { test: true }));
			socket.emit("ack");
			await answered;
		},
		async binary(socket) {
			socket.emit("doge");
			equal(plain((await on(socket, "doge"))[0]), [..."asdfasdf"].map((c) => c.charCodeAt(0)));
			socket.emit("jsonbuff", { hello: "lol", message: bytes([1, 2, 3]), goodbye: "gotcha" });
			await on(socket, "jsonbuff-ack");
		},
		async "binary ack"(socket) {
			const large = Array.from({ length: 100_000 }, (_, i) => i % 251);
			equal(plain(await ask(socket, "echo", bytes(large))), large);
			equal(plain((await ask(socket, "echo", { deep: [bytes([0, 255])] })).deep[0]), [0, 255]);
		},
		async reconnect(socket) {
			await lose(socket, cut);
			equal(await ask(socket, "echo", "again"), "again");
		},
		async recovery(socket) {
			if (!recovers) return false;
			socket.close();
			const lost = connect("/recovery");
			const missed = new Promise((resolve) => lost.on("missed", (...args) => resolve(args)));
			await on(lost, "first"); // brings the offset
			if (options.transports?.length !== 1) await upgraded(lost, options.transports);
			const { id } = await recovered(lost, cut);
			const [number, data] = await within(missed, "what was missed");
			equal([lost.id, number, plain(data)], [id, 1, [7, 8, 9]]);
		},
	};
	try {
		const socket = connect("/");
		for (const name of names) if ((await steps[name](socket)) !== false) done.push(name);
	} catch (err) {
		return { done, failed: `${names[done.length]}: ${err.stack ?? err}` };
	} finally {
		for (const socket of sockets) socket.close();
	}
	return { done };
}

/** lose cuts the socket's connection, and waits until it has another. Between two GETs nobody notices: so it cuts until somebody does. */
async function lose(socket, cut) {
	let lost = false;
	socket.once("disconnect", () => (lost = true));
	const back = on(socket, "connect");
	while (!lost) {
		await fetch(cut);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	await back;
}

/** recovered loses the connection until it is recovered: a server that has not seen the end of the old one cannot do that. */
async function recovered(socket, cut) {
	for (let attempts = 0; attempts < 5; attempts++) {
		const { id } = socket;
		const first = new Promise((resolve) => socket.once("first", resolve)); // it may come with the answer to CONNECT
		await lose(socket, cut);
		if (socket.recovered) return { id };
		await within(first, "first");
	}
	throw new Error("not recovered");
}

function within(promise, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function on(socket, event) {
	return within(new Promise((resolve) => socket.once(event, (...args) => resolve(args))), event);
}

function ask(socket, event, ...args) {
	return within(new Promise((resolve) => socket.emit(event, ...args, resolve)), `the ack of ${event}`);
}

async function upgraded(socket, transports) {
	const last = transports?.at(-1) ?? "websocket";
	const { engine } = socket.io;
	const moved = new Promise((resolve) => engine.once("upgrade", resolve));
	if (engine.transport.name !== last) await within(moved, "the upgrade");
	equal(engine.transport.name, last);
}

function plain(data) {
	if (!(data instanceof ArrayBuffer || ArrayBuffer.isView(data))) throw new Error(`${JSON.stringify(data)} is not binary`);
	return [...(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

function equal(got, want) {
	if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`got ${JSON.stringify(got)}; want ${JSON.stringify(want)}`);
}
