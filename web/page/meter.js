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
		if (total < this.#total) this.#samples.length = 0; // it began again
		this.#total = total;
		this.#sample(now);
	}

	/** add counts what flows in pieces. */
	add(bytes, now = performance.now()) {
		this.#sample(now);
		this.at(this.#total + bytes, now);
	}

	/** rate is in bytes a second. */
	rate(now = performance.now()) {
		this.#sample(now);
		while (this.#samples.length > 1 && this.#samples[1][0] <= now - WINDOW_MS) this.#samples.shift();
		const [since, before] = this.#samples[0];
		return now - since < STEP_MS ? 0 : ((this.#total - before) * 1000) / (now - since);
	}

	#sample(now) {
		const last = this.#samples.at(-1);
		if (!last || now - last[0] >= STEP_MS) this.#samples.push([now, this.#total]);
	}
}
