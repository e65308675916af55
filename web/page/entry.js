import { advice, sentence } from "./advice.js";
import { amount, bytes, exact, moment } from "./format.js";
import { kindOf, offer, show } from "./media.js";
import { Meter } from "./meter.js";

const template = document.getElementById("entry-template");

// Numbers that change more often than this cannot be read.
const RENDER_MS = 150;

// What others say of a picture's size is believed up to here.
const MAX_SIDE = 1 << 15;

/**
 * Entry is one thing on the timeline, from the first byte until it is deleted. It is given a stream's info, or what an
 * upload knows, and draws it. Its buttons call again, cancel and remove, which the timeline sets.
 */
export class Entry {
	/** element is the list item. */
	element = template.content.cloneNode(true).firstElementChild;
	/** id is the stream's, once there is one. */
	id;
	meter = new Meter();

	#progress; // how far it is
	#timer; // of the drawing, while it moves
	#shown; // what the frame shows: "id type"
	#media; // the element that shows it
	#refused = false; // it is a medium, but the browser cannot show it

	constructor({ by, own, url }) {
		this.by = by;
		this.own = own;
		this.url = url;
		this.parts = Object.fromEntries(
			["time", "by", "name", "facts", "error", "again", "cancel", "download", "delete"].map((part) => [part, this.element.querySelector(`.entry-${part}`)]),
		);
		this.frame = this.element.querySelector(".frame");
		this.bar = this.element.querySelector(".frame-bar");
		this.amount = this.element.querySelector(".frame-amount");
		this.element.classList.toggle("is-own", own);
		this.parts.by.textContent = own ? "You" : by;
		this.parts.again.addEventListener("click", () => this.again?.());
		this.parts.cancel.addEventListener("click", () => this.cancel?.());
		this.parts.delete.addEventListener("click", () => this.#askToDelete());
	}

	/** describe draws what does not change while bytes flow. */
	describe({ name, type, kind, created = new Date(), meta }) {
		const date = new Date(created);
		this.parts.time.dateTime = date.toISOString();
		this.parts.time.textContent = moment(date);
		this.parts.time.title = exact(date);
		this.name = name || "Without a name";
		this.parts.name.textContent = this.name;
		this.element.classList.toggle("is-live", kind === "live");
		if (!this.#refused) this.frame.dataset.kind = kindOf(type);
		this.#makeRoom(meta?.frame);
		this.bar.setAttribute("aria-label", `${this.own ? "Sending" : "Receiving"} ${this.name}`);
	}

	/** info draws a stream in whatever state it is. */
	info(info) {
		this.id = info.id;
		this.element.dataset.stream = info.id;
		this.describe(info);
		if (info.state === "open") this.flow({ state: "open", done: info.offset, size: info.size });
		else if (info.state === "ended" || info.state === "archived") this.#whole(info);
		else this.failed({ code: "failed", message: info.state === "failed" ? "The sender was lost before the end" : "The sender gave it up" });
	}

	/** flow takes how far something is, and draws it now and then; label stands in for it while it does not move. */
	flow(progress) {
		this.#progress = progress;
		this.meter.at(progress.done);
		if (this.element.dataset.state === progress.state && this.#timer) return;
		this.#become(progress.state);
		this.parts.facts.textContent = "";
		this.#draw();
		this.#timer ??= setInterval(() => this.#draw(), RENDER_MS);
	}

	// Also while nothing moves: then the rate goes down.
	#draw() {
		const { done, size, label } = this.#progress;
		this.amount.textContent = label ?? amount(done, size, this.meter.rate());
		if (size === undefined) this.bar.removeAttribute("value");
		else this.bar.value = size ? done / size : 1;
		this.frame.style.setProperty("--level", size ? done / size : 0);
	}

	/** gone is called when the entry is taken off the timeline. */
	gone() {
		clearInterval(this.#timer);
		this.element.remove();
	}

	/** failed draws why there is nothing. */
	failed(err) {
		this.#become("failed");
		this.parts.error.hidden = false;
		this.parts.error.textContent = `${sentence(err)} ${advice(err)}`.trim();
		this.parts.again.hidden = !this.again;
	}

	#become(state) {
		this.element.dataset.state = state;
		const whole = state === "ended" || state === "archived";
		if (whole || state === "failed") this.#timer = clearInterval(this.#timer);
		this.parts.error.hidden = true;
		this.parts.again.hidden = true;
		this.parts.cancel.hidden = !this.cancel || whole || state === "failed";
		this.parts.download.hidden = !whole || this.frame.dataset.kind === "file";
		this.parts.delete.hidden = !this.remove || !whole;
		this.amount.hidden = this.bar.hidden = whole || state === "failed";
		this.frame.hidden = state === "failed";
	}

	#whole(info) {
		this.#become(info.state);
		const size = dimensions(info.meta?.frame);
		const facts = [info.type, size?.join(" × "), bytes(info.size), info.state === "archived" && "archived"];
		this.parts.facts.textContent = facts.filter(Boolean).join(" · ");
		this.parts.download.href = this.url(info, { download: true });
		this.parts.download.setAttribute("aria-label", `Download ${this.name}`);
		if (this.#shown === `${info.id} ${info.type}`) return;
		this.#shown = `${info.id} ${info.type}`;
		if (this.frame.dataset.kind === "file") return this.#offer();
		this.#put(show({ type: info.type, name: info.name, url: this.url(info), size }, () => this.#refuse()));
	}

	// The browser does not know this format.
	#refuse() {
		this.#refused = true;
		this.frame.dataset.kind = "file";
		this.#offer();
	}

	#offer() {
		this.parts.download.hidden = true;
		this.#put(offer({ name: this.name, url: this.parts.download.href }));
	}

	#put(media) {
		this.#media?.remove();
		this.#media = media;
		this.frame.prepend(media);
	}

	/** makeRoom gives the frame the shape of what will be in it, so that nothing jumps when it comes. */
	#makeRoom(frame) {
		const size = dimensions(frame);
		if (!size) return;
		this.frame.style.setProperty("--ratio", size[0] / size[1]);
		this.frame.style.setProperty("--natural", `${size[0]}px`);
	}

	// There is no way back: a second click within the time it takes to read the question.
	#askToDelete() {
		const button = this.parts.delete;
		if (button.dataset.asked) return this.remove();
		button.dataset.asked = "yes";
		button.textContent = "Delete for everybody?";
		button.addEventListener("blur", () => this.#forgetQuestion(), { once: true });
	}

	#forgetQuestion() {
		delete this.parts.delete.dataset.asked;
		this.parts.delete.textContent = "Delete";
	}
}

/** dimensions returns [width, height] if that is what the sender said, who can say anything. */
function dimensions(frame) {
	const sound = Array.isArray(frame) && frame.length === 2 && frame.every((n) => Number.isInteger(n) && n > 0 && n <= MAX_SIDE);
	return sound ? frame : undefined;
}
