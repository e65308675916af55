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
	off(...args) {
		const [event, listener] = args;
		const rest = args.length > 1 ? without(this.listeners(event), listener) : [];
		if (!args.length) this.#listeners.clear();
		else if (rest.length) this.#listeners.set(event, rest);
		else this.#listeners.delete(event);
		return this;
	}

	/** listeners is a copy: a listener may add and remove others while it is called. */
	listeners(event) {
		return [...(this.#listeners.get(event) ?? [])];
	}

	hasListeners(event) {
		return this.#listeners.has(event);
	}

	_fire(event, ...args) {
		callAll(this.listeners(event), this, args);
	}
}

// The other names that Node and the DOM have for them.
const { prototype } = Emitter;
prototype.addEventListener = prototype.on;
prototype.removeListener = prototype.removeEventListener = prototype.removeAllListeners = prototype.off;

/** without is a copy of list that lacks listener, where it stands first. */
export function without(list, listener) {
	const at = list.findIndex((l) => l === listener || l.listener === listener);
	return list.filter((_, i) => i !== at);
}

/** callAll reports what listeners throw as uncaught errors, after everybody else had their turn. */
export function callAll(listeners, self, args) {
	for (const listener of listeners) {
		try {
			listener.apply(self, args);
		} catch (err) {
			queueMicrotask(() => {
				throw err;
			});
		}
	}
}
