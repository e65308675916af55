const template = document.getElementById("person-template");

// More than these are only counted.
const MAX_SHOWN = 50;

const COLOURS = 6;

/** nameOf is what a member is called: the name it gave, else one made of its id. */
export function nameOf({ id, name }) {
	return name || `Guest ${id.replace(/[^0-9a-z]/gi, "").slice(-4).toUpperCase()}`;
}

/** showPeople draws who is here, ourselves first, then by name. */
export function showPeople(members, ownID) {
	const people = [...members.values()].sort((a, b) => (b.id === ownID) - (a.id === ownID) || nameOf(a).localeCompare(nameOf(b)));
	const items = people.slice(0, MAX_SHOWN).map((member) => person(member, member.id === ownID));
	document.getElementById("people").replaceChildren(...items);
	document.getElementById("people-count").textContent = people.length;
}

function person(member, own) {
	const item = template.content.cloneNode(true).firstElementChild;
	const name = nameOf(member);
	item.querySelector(".person-initial").textContent = [...name][0].toUpperCase();
	item.querySelector(".person-initial").classList.add(`colour-${colour(name)}`);
	item.querySelector(".person-name").textContent = own ? `${name} (you)` : name;
	return item;
}

function colour(name) {
	let sum = 0;
	for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 997;
	return sum % COLOURS;
}
