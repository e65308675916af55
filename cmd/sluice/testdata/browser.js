// Sends one file over every transport to readers on every transport, with the stock client `io` in a browser.
// It is a function of the server's address ("" for the page's own), the transports by name, and further options.
async (url, transports, options) => {
  const connect = (name) =>
    new Promise((resolve, reject) => {
      const socket = io(url, { transports: transports[name], forceNew: true, reconnection: false, ...options });
      socket.once("connect", () => resolve(socket));
      socket.once("connect_error", reject);
    });
  const hex = async (blob) =>
    [...new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const received = (socket, name) =>
    new Promise((resolve) => {
      const parts = [];
      let id;
      socket.on("stream", (s) => s.name === name && (id = s.id));
      socket.on("chunk", (c, bytes) => c.stream === id && parts.push(bytes));
      socket.on("end", (s) => s.id === id && resolve(new Blob(parts)));
    });

  const room = "browser";
  const file = new File([crypto.getRandomValues(new Uint8Array(60_000)), new Uint8Array(2_000_000)], "cat.bin");
  const sum = await hex(file);
  const readers = {};
  for (const name in transports) {
    readers[name] = await connect(name);
    await readers[name].emitWithAck("join", { room });
  }
  const results = {};
  for (const name in transports) {
    const arrivals = Object.keys(readers).map(async (r) => [r, await hex(await received(readers[r], name))]);
    const sender = await connect(name);
    const answer = await sender.emitWithAck("send", { room, name, sha256: sum }, file);
    if (!answer.ok) throw new Error(JSON.stringify(answer));
    for (const [reader, got] of await Promise.all(arrivals)) results[`${name} to ${reader}`] = got === sum;
    sender.disconnect();
  }
  return results;
}
