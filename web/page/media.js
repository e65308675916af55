// How a stream is shown: as a picture, a player, or something to download.

const template = document.getElementById("file-template");

/** kindOf names the way: "picture", "video", "audio" or "file". */
export function kindOf(type = "") {
	const [family] = type.split("/");
	return { image: "picture", video: "video", audio: "audio" }[family] ?? "file";
}

/** show returns the element that shows the content at url. failed is called when the browser cannot show it after all. */
export function show({ type, name, url, size }, failed) {
	return (kindOf(type) === "picture" ? picture : player)({ type, name, url, size }, failed);
}

/** offer returns the element that offers the content for download. */
export function offer({ name, url }) {
	const link = template.content.cloneNode(true).firstElementChild;
	link.href = url;
	link.querySelector(".media-file-text").textContent = "Download";
	link.setAttribute("aria-label", `Download ${name}`);
	return link;
}

function picture({ name, url, size }, failed) {
	const image = new Image();
	image.className = "media";
	image.alt = name || "A picture without a name";
	image.decoding = "async";
	if (size) [image.width, image.height] = size;
	image.addEventListener("error", failed, { once: true });
	image.src = url;
	const link = document.createElement("a");
	link.className = "media-link";
	link.href = url;
	link.target = "_blank";
	link.rel = "noopener";
	link.append(image);
	return link;
}

function player({ type, name, url, size }, failed) {
	const element = document.createElement(kindOf(type));
	element.className = "media";
	element.controls = true;
	element.preload = "metadata";
	element.setAttribute("aria-label", name || "Without a name");
	if (size && element instanceof HTMLVideoElement) [element.width, element.height] = size;
	element.addEventListener("error", failed, { once: true });
	element.src = url;
	return element;
}

// A larger picture is not decoded just to learn its size.
const MAX_MEASURED_BYTES = 64e6;

// What does not tell its size in this time is sent without.
const MEASURE_MS = 2000;

/** measure resolves with a local file's [width, height], or null: others can then make room for it before it comes. */
export function measure(file) {
	const kind = kindOf(file.type);
	const measuring = kind === "picture" && file.size <= MAX_MEASURED_BYTES ? measurePicture(file) : kind === "video" ? measureVideo(file) : null;
	if (!measuring) return Promise.resolve(null);
	const patience = new Promise((resolve) => setTimeout(resolve, MEASURE_MS, null));
	return Promise.race([measuring.catch(() => null), patience]);
}

async function measurePicture(file) {
	const bitmap = await createImageBitmap(file);
	const size = [bitmap.width, bitmap.height];
	bitmap.close();
	return size;
}

async function measureVideo(file) {
	const video = document.createElement("video");
	video.preload = "metadata";
	video.src = URL.createObjectURL(file);
	try {
		await new Promise((resolve, reject) => {
			video.addEventListener("loadedmetadata", resolve);
			video.addEventListener("error", reject);
		});
		return video.videoWidth ? [video.videoWidth, video.videoHeight] : null;
	} finally {
		URL.revokeObjectURL(video.src);
		video.removeAttribute("src");
	}
}
