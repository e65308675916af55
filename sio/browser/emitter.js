/**
 * Emitter keeps listeners by event name. A listener that throws is reported and stops nobody else, as with
 * the events of the DOM.
 */
export class Emitter {
	#listeners = new Map();

	on(event, listener) {
		const list = this.#listeners.get(event);
		if (list) list.push(listener);
		else this.#listeners.set(event, [listener]);
		return this;
	}

	once(event, listener) {
		const wrapper = (...args) => {
			this.off(event, wrapper);
			listener.apply(this, args);
		};
		wrapper.listener = listener;
		return this.on(event, wrapper);
	}

	/** off removes one listener, all of an event, or, without arguments, all. */
	off(event, listener) {
		if (event === undefined) this.#listeners.clear();
		else if (listener === undefined) this.#listeners.delete(event);
		else {
			const rest = this.listeners(event).filter((l) => l !== listener && l.listener !== listener);
			this.#listeners.set(event, rest);
		}
		return this;
	}

	/** listeners is a copy: a listener may add and remove others while it is called. */
	listeners(event) {
		return [...(this.#listeners.get(event) ?? [])];
	}

	hasListeners(event) {
		return this.listeners(event).length > 0;
	}

	_fire(event, ...args) {
		for (const listener of this.listeners(event)) call(listener, this, args);
	}
}

/** call reports what a listener throws as an uncaught error, after everybody else had their turn. */
export function call(listener, self, args) {
	try {
		listener.apply(self, args);
	} catch (err) {
		queueMicrotask(() => {
			throw err;
		});
	}
}
