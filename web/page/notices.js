import { advice, sentence } from "./advice.js";

// A notice that nobody dismisses goes away by itself after this many ms.
const STAYS_MS = 12_000;

const MAX_NOTICES = 3;

const list = document.getElementById("notices");
const template = document.getElementById("notice-template");

/** notify shows an error that belongs to nothing on the page, once: what happened and what can be done. */
export function notify(err) {
	const notice = template.content.cloneNode(true).firstElementChild;
	const what = notice.querySelector(".notice-what");
	what.textContent = sentence(err);
	for (const old of [...list.children]) {
		if (old.querySelector(".notice-what").textContent === what.textContent) old.remove();
	}
	notice.querySelector(".notice-advice").textContent = advice(err);
	notice.querySelector(".notice-close").addEventListener("click", () => notice.remove());
	list.append(notice);
	while (list.childElementCount > MAX_NOTICES) list.firstElementChild.remove();
	setTimeout(() => notice.remove(), STAYS_MS);
}
