// The page has two faces: the door, where a room is chosen, and the room.

import { advice, sentence } from "./advice.js";
import { code } from "./format.js";
import { enter } from "./hall.js";
import { ownName, rememberName, rememberToken, tokenFor } from "./memory.js";

const door = document.getElementById("door");
const form = document.getElementById("enter");
const fields = form.elements;
const problem = document.getElementById("enter-error");

/** showDoor shows the form, and why the room was not opened if it was tried. */
function showDoor({ room = code(), token = "" }, err) {
	fields.room.value = room;
	fields.name.value = ownName();
	fields.token.value = token;
	problem.hidden = !err;
	problem.textContent = err ? `${sentence(err)} ${advice(err)}` : "";
	document.title = "Sluice";
	door.hidden = false;
	if (err) (err.code === "unauthorized" || err.code === "forbidden" ? fields.token : fields.room).select();
}

async function open({ room, token }) {
	door.hidden = true;
	try {
		await enter({ room, token, own: ownName() });
	} catch (err) {
		showDoor({ room, token }, err);
	}
}

form.addEventListener("submit", (event) => {
	event.preventDefault();
	const [room, token] = [fields.room.value.trim(), fields.token.value.trim()];
	if (!room) return fields.room.focus();
	rememberName(fields.name.value.trim());
	rememberToken(room, token);
	const link = new URL("/", location.href);
	link.searchParams.set("room", room);
	history.pushState(null, "", link);
	open({ room, token });
});

addEventListener("popstate", () => location.reload());

// A token is taken out of the address, where others would see it and copy it.
const here = new URL(location.href);
const room = here.searchParams.get("room")?.trim();
if (room && here.searchParams.has("token")) {
	rememberToken(room, here.searchParams.get("token"));
	here.searchParams.delete("token");
	history.replaceState(null, "", here);
}
if (room) open({ room, token: tokenFor(room) });
else showDoor({});
