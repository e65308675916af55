import { connect } from "/sluice.js";
import { chooseFiles } from "./choose.js";
import { bytes } from "./format.js";
import { Meter } from "./meter.js";
import { notify } from "./notices.js";
import { nameOf, showPeople } from "./people.js";
import { Timeline } from "./timeline.js";

const $ = (id) => document.getElementById(id);

// How often the rates are drawn.
const FLOW_MS = 500;

/** enter joins a room and shows it. It rejects when that is refused. */
export async function enter({ room: name, token, own }) {
	const sluice = connect({ token });
	sluice.on("status", showStatus);
	sluice.on("problem", notify);
	$("room-name").textContent = name;
	document.title = `${name} · Sluice`;
	$("room").hidden = false;
	showStatus(sluice.status);
	try {
		const room = await sluice.join(name, { name: own });
		open(sluice, room);
	} catch (err) {
		sluice.close();
		$("room").hidden = true;
		throw err;
	}
}

function open(sluice, room) {
	const flow = showFlow();
	const timeline = new Timeline(sluice, room, { say, flowed: flow });
	const people = () => showPeople(room.members, sluice.id);
	people();
	room.on("enter", people);
	room.on("member", (member) => {
		people();
		say(`${nameOf(member)} ${member.event === "join" ? "is here" : "has left"}`);
	});
	chooseFiles((files) => timeline.send(files));
	$("reconnect").onclick = () => sluice.reconnect();
	$("copy").onclick = copyLink;
	addEventListener("beforeunload", (event) => sluice.uploads.size && event.preventDefault());
	addEventListener("pagehide", () => sluice.close());
	addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function showStatus({ state, transport, error }) {
	const text = {
		connecting: "Connecting",
		connected: transport === "websocket" ? "Connected by WebSocket" : "Connected by polling",
		waiting: "No connection, trying again",
		refused: error?.message ?? "Refused",
		closed: "Closed",
	}[state];
	$("status").dataset.state = state;
	$("status").dataset.transport = transport ?? "";
	$("status-text").textContent = text;
	$("reconnect").hidden = state !== "refused";
}

/** showFlow draws the rates out and in, and returns what is to be told of bytes. */
function showFlow() {
	const meters = { out: new Meter(), in: new Meter() };
	setInterval(() => {
		const rates = { out: meters.out.rate(), in: meters.in.rate() };
		for (const way of ["out", "in"]) $(`flow-${way}`).textContent = `${bytes(Math.round(rates[way]))}/s`;
		$("mark").classList.toggle("is-flowing", rates.out + rates.in > 0);
	}, FLOW_MS);
	return (flowed) => {
		for (const way in flowed) meters[way].add(flowed[way]);
	};
}

/** say announces something to those who do not see it. */
function say(text) {
	$("news").textContent = text;
}

// The link is without a token, which is personal.
async function copyLink() {
	const label = $("copy").firstElementChild;
	const link = new URL("/", location.href);
	link.searchParams.set("room", $("room-name").textContent);
	try {
		await navigator.clipboard.writeText(link.href);
		label.textContent = "Copied";
	} catch {
		prompt("The link to this room:", link.href); // only secure contexts have a clipboard
	}
	setTimeout(() => (label.textContent = "Copy link"), 2000);
}
