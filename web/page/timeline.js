import { Entry } from "./entry.js";
import { forgetKey, isMine, keyFor, rememberMine } from "./memory.js";
import { measure } from "./media.js";
import { nameOf } from "./people.js";
import { notify } from "./notices.js";

// How many earlier things are asked for at a time.
const PAGE = 30;

// The bytes of what is larger are not asked for only to show how far it is.
const MAX_RECEIVED_BYTES = 8e6;

const list = document.getElementById("timeline");
const empty = document.getElementById("empty");
const earlier = document.getElementById("earlier");

/** Timeline shows a room's streams, the newest first: what we send, what others send, what was sent before. */
export class Timeline {
	#sluice;
	#room;
	#byID = new Map();
	#files = new Set(); // being sent, by fingerprint
	#say;
	#flowed;

	/** say announces; flowed({out, in}) is told the bytes that went and came. */
	constructor(sluice, room, { say, flowed }) {
		this.#sluice = sluice;
		this.#room = room;
		this.#say = say;
		this.#flowed = flowed;
		list.replaceChildren();
		room.on("stream", (stream) => this.#incoming(stream));
		room.on("end", (stream) => this.#ended(stream));
		room.on("archived", (info) => this.#byID.get(info.id)?.info(info));
		room.on("deleted", (id) => this.#remove(id));
		room.on("enter", () => this.#fill());
		for (const stream of room.streams) this.#incoming(stream);
		earlier.onclick = () => this.#fill(this.#oldest());
		this.#fill();
	}

	/** send uploads files, each with an entry of its own. */
	async send(files) {
		for (const file of [...files].reverse()) await this.#send(file);
	}

	async #send(file) {
		const { name } = this.#room;
		const again = `${file.name} ${file.size} ${file.lastModified}`;
		const key = this.#files.has(again) ? undefined : keyFor(name, file);
		if (key) this.#files.add(again);
		const forget = () => {
			if (!key) return;
			this.#files.delete(again);
			forgetKey(name, file);
		};

		const frame = await measure(file);
		const meta = { by: this.#room.members.get(this.#sluice.id)?.name, ...(frame && { frame }) };
		const upload = this.#room.send(file, { meta, ...(key && { key }) });
		const entry = this.#entry({ own: true });
		entry.describe({ name: file.name, type: file.type, meta });
		entry.cancel = () => upload.cancel();
		this.#insert(entry);
		this.#follow(upload, entry);
		upload.done.then(forget, forget);
	}

	/** follow draws an upload. */
	#follow(upload, entry) {
		let before = 0;
		const draw = () => {
			if (upload.state === "cancelled") return this.#drop(entry);
			if (upload.info) this.#adopt(entry, upload.info);
			this.#flowed({ out: Math.max(0, upload.offset - before) });
			before = upload.offset;
			if (upload.state === "failed") {
				entry.again = () => this.#again(upload, entry);
				return entry.failed(upload.error);
			}
			if (upload.state === "ended") return entry.info(upload.info);
			const label = { waiting: "Waits for its turn", paused: "Paused. It goes on by itself when the server answers." }[upload.state];
			entry.flow({ state: upload.state, done: upload.offset, size: upload.size, label });
		};
		upload.on("progress", draw).on("state", draw);
		draw();
	}

	#again(upload, entry) {
		this.#drop(entry);
		this.#send(upload.file);
	}

	/** adopt joins an upload's entry with the stream it has become. */
	#adopt(entry, info) {
		if (entry.id === info.id) return;
		this.#byID.get(info.id)?.gone(); // it was resumed: an entry from before is of the same stream
		entry.id = info.id;
		this.#byID.set(info.id, entry);
		entry.element.dataset.stream = info.id;
		entry.remove = () => this.#delete(info.id);
		rememberMine(info.id);
	}

	#incoming(stream) {
		const { info } = stream;
		const entry = this.#known(info);
		let before = stream.received;
		entry.info(info);
		this.#insert(entry);
		this.#say(`${entry.by} is sending ${entry.name}`);
		stream.on("progress", () => {
			this.#flowed({ in: Math.max(0, stream.received - before) });
			before = stream.received;
			entry.flow({ state: "open", done: stream.received, size: stream.info.size });
		});
		if (info.kind === "live" || info.size === undefined || info.size > MAX_RECEIVED_BYTES) this.#room.ignore(stream).catch(() => {});
	}

	#ended({ info }) {
		const entry = this.#byID.get(info.id);
		if (!entry) return;
		entry.info(info);
		if (entry.element.dataset.state === "ended") this.#say(`${entry.by} has sent ${entry.name}`);
	}

	/** fill adds what was sent before a stream, or the newest. */
	async #fill(before) {
		earlier.disabled = true;
		try {
			const streams = await this.#room.list({ before, limit: PAGE });
			for (const info of streams) this.#listed(info);
			if (before || !this.#filled) earlier.hidden = streams.length < PAGE;
			this.#filled = true;
		} catch (err) {
			if (err.code !== "disconnected") notify(err);
		}
		earlier.disabled = false;
		this.#count();
	}

	#filled = false;

	#listed(info) {
		if (info.state === "failed" || info.state === "cancelled" || this.#sluice.uploads.has(info.id)) return;
		const entry = this.#known(info);
		if (!this.#sluice.incoming.has(info.id)) entry.info(info);
		this.#insert(entry);
	}

	/** known returns the entry of a stream, a new one if there is none. */
	#known(info) {
		const known = this.#byID.get(info.id);
		if (known) return known;
		const own = isMine(info.id);
		const entry = this.#entry({ own, by: this.#nameOf(info) });
		entry.id = info.id;
		if (own) entry.remove = () => this.#delete(info.id);
		this.#byID.set(info.id, entry);
		return entry;
	}

	#entry(options) {
		return new Entry({ by: "You", url: (info, how) => this.#sluice.url(info, how), ...options });
	}

	/** nameOf prefers what the server says of a member to what the sender wrote. */
	#nameOf({ from, meta }) {
		const member = this.#room.members.get(from);
		if (member) return nameOf(member);
		return typeof meta?.by === "string" && meta.by ? meta.by.slice(0, 60) : "Somebody";
	}

	/** insert puts an entry where its time is. What has no id yet is the newest. Ids are in order of time. */
	#insert(entry) {
		if (!entry.element.isConnected) {
			const older = entry.id && [...list.children].find((other) => other.dataset.stream < entry.id);
			if (entry.id) list.insertBefore(entry.element, older ?? null);
			else list.prepend(entry.element);
		}
		this.#count();
	}

	#oldest() {
		return [...list.children].at(-1)?.dataset.stream;
	}

	async #delete(id) {
		try {
			await this.#sluice.delete(id);
			this.#remove(id);
		} catch (err) {
			notify(err);
		}
	}

	#remove(id) {
		const entry = this.#byID.get(id);
		if (entry) this.#drop(entry);
		this.#byID.delete(id);
	}

	#drop(entry) {
		const hadFocus = entry.element.contains(document.activeElement);
		entry.gone();
		if (hadFocus) list.focus();
		this.#count();
	}

	#count() {
		empty.hidden = list.childElementCount > 0;
	}
}
