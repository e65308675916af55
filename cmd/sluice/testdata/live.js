// A camera and a viewer of it, with the stock client `io` and nothing else. Both are functions of a room.

const connected = () =>
  new Promise((resolve, reject) => {
    const socket = io({ transports: ["websocket"], reconnection: false });
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });

const granted = async (answer) => {
  const a = await answer;
  if (!a.ok) throw new Error(a.error.message);
  return a;
};

// record publishes what the camera sees as a live stream of that type. It goes on until the page is closed.
async function record(room, type) {
  const socket = await connected();
  const { stream } = await granted(socket.emitWithAck("publish", { room, kind: "live", name: "camera", meta: { type } }));
  const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: !type.startsWith("audio/") });
  let offset = 0;
  let sent = Promise.resolve();
  const send = (blob) => {
    const chunk = { stream: stream.id, offset };
    offset += blob.size;
    return granted(socket.emitWithAck("chunk", chunk, blob));
  };
  const start = () => {
    const recorder = new MediaRecorder(camera, { mimeType: type });
    recorder.ondataavailable = ({ data }) => data.size > 0 && (sent = sent.then(() => send(data)));
    recorder.start(100);
    return recorder;
  };
  let recorder = start();
  socket.on("keyframe", () => {
    recorder.onstop = () => (recorder = start());
    recorder.stop();
  });
  while (offset === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await sent;
  return stream.id;
}

// What follows is not the rest of what came before.
const CUT = Symbol("cut");

// tune joins the room and plays its live stream. What it returns goes on until its socket is disconnected.
async function tune(room) {
  const video = document.body.appendChild(document.createElement("video"));
  video.muted = true;
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));

  const socket = await connected();
  const began = performance.now();
  const events = [];
  const queue = [];
  let buffer;
  const feed = () => {
    if (!buffer || buffer.updating || queue.length === 0) return;
    if (queue[0] === CUT) {
      queue.shift();
      buffer.abort();
      return feed();
    }
    buffer.appendBuffer(queue.shift());
  };
  socket.on("gap", ({ from, to, reason }) => {
    events.push({ gap: reason, from, to });
    queue.push(CUT);
    feed();
  });
  socket.on("chunk", ({ offset, init, key }, bytes) => {
    if (init && !events.at(-1)?.init) queue.push(CUT);
    events.push({ offset, init: !!init, key: !!key, bytes: bytes.byteLength });
    queue.push(bytes);
    feed();
  });
  const begun = new Promise((resolve) => socket.once("stream", resolve));
  const { streams } = await granted(socket.emitWithAck("join", { room }));
  const stream = streams[0] ?? (await begun);
  buffer = source.addSourceBuffer(stream.meta.type);
  buffer.mode = "sequence"; // one after the other, whatever the times in it: a recorder that begins anew begins at 0
  buffer.addEventListener("updateend", () => {
    const { buffered } = video;
    if (buffered.length > 0 && video.currentTime < buffered.start(0)) video.currentTime = buffered.start(0);
    feed();
  });
  feed();
  const first = stream.meta.type.startsWith("audio/")
    ? new Promise((resolve) => video.addEventListener("playing", resolve, { once: true }))
    : new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  video.play();
  await first;
  return { socket, video, events, type: stream.type, took: performance.now() - began };
}

// plays waits until a second more has been played.
const plays = (video) => {
  const from = video.currentTime;
  return new Promise((resolve) => {
    const look = setInterval(() => video.currentTime > from + 1 && resolve(clearInterval(look)), 20);
  });
};

// told ends the viewing and tells how it went.
function told({ socket, video, events, type, took }) {
  const colours = new Set();
  if (video.videoWidth > 0) {
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext("2d");
    canvas.drawImage(video, 0, 0);
    const pixels = new Uint32Array(canvas.getImageData(0, 0, video.videoWidth, video.videoHeight).data.buffer);
    for (const pixel of pixels) colours.add(pixel);
  }
  socket.disconnect();
  return { took, type, width: video.videoWidth, colours: colours.size, audio: video.webkitAudioDecodedByteCount, events };
}

// view joins the room, plays its live stream for a while, and tells how that went.
async function view(room) {
  const viewer = await tune(room);
  await plays(viewer.video);
  return told(viewer);
}

// begin is tune for who is to be stalled, and goOn, when it no longer is, waits for a gap, and for more to be played after it.
let stalled;
const begin = async (room) => {
  stalled = await tune(room);
  await plays(stalled.video);
  return stalled.events.length;
};
const goOn = async () => {
  while (!stalled.events.some(({ gap }) => gap === "behind")) await new Promise((resolve) => setTimeout(resolve, 20));
  const at = stalled.events.findIndex(({ gap }) => gap === "behind");
  while (!stalled.events.slice(at).some(({ key }) => key)) await new Promise((resolve) => setTimeout(resolve, 20));
  await plays(stalled.video);
  return told(stalled);
};
