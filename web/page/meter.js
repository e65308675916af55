// The rate is what came in the last so many ms.
const WINDOW_MS = 3000;

// Samples closer than this are one.
const STEP_MS = 100;

/** Meter tells the rate of something that is counted in bytes. */
export class Meter {
	#samples = []; // [time, bytes so far]
	#total = 0;

	/** at takes how far it is now. What was there at the first call did not flow. */
	at(total, now = performance.now()) {
		const last = this.#samples.at(-1);
		this.#total = total;
		if (last && total < last[1]) this.#samples.length = 0; // it began again
		if (!last || now - last[0] >= STEP_MS) this.#samples.push([now, total]);
	}

	/** add counts what flows in pieces. */
	add(bytes, now) {
		if (!this.#samples.length) this.at(this.#total, now);
		this.at(this.#total + bytes, now);
	}

	/** rate is in bytes a second. */
	rate(now = performance.now()) {
		while (this.#samples.length > 1 && this.#samples[1][0] < now - WINDOW_MS) this.#samples.shift();
		if (!this.#samples.length) return 0;
		const [since, before] = this.#samples[0];
		const span = now - since;
		return span < STEP_MS ? 0 : ((this.#total - before) * 1000) / span;
	}
}
