import { notify } from "./notices.js";

const drop = document.getElementById("drop");
const input = document.getElementById("files");

/** chooseFiles hands over the files that are chosen, dropped anywhere, or pasted. */
export function chooseFiles(send) {
	input.onchange = () => {
		send([...input.files]);
		input.value = ""; // so that the same can be chosen again
	};
	document.addEventListener("paste", (event) => {
		if (event.clipboardData?.files.length) send([...event.clipboardData.files]);
	});
	followDrag(send);
}

// A drag over children leaves and enters all the time; what counts is whether it left the window.
function followDrag(send) {
	let depth = 0;
	const over = (event, step) => {
		if (!event.dataTransfer?.types.includes("Files")) return;
		event.preventDefault();
		depth = Math.max(0, depth + step);
		drop.classList.toggle("is-over", depth > 0);
	};
	document.addEventListener("dragenter", (event) => over(event, 1));
	document.addEventListener("dragleave", (event) => over(event, -1));
	document.addEventListener("dragover", (event) => over(event, 0));
	document.addEventListener("drop", (event) => {
		over(event, -depth);
		if (event.dataTransfer?.files.length) send(filesOf(event.dataTransfer));
	});
}

/** filesOf leaves out folders, which look like files that cannot be read. */
function filesOf({ items, files }) {
	const folders = [...items].filter((item) => item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile()?.name);
	if (folders.length) notify({ code: "folder", message: "A folder cannot be sent; drop its files" });
	return [...files].filter((file) => !folders.includes(file.name));
}
