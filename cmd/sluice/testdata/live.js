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

// view joins the room, plays its live stream, and tells how that went.
async function view(room) {
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
    buffer.appendBuffer(queue.shift());
  };
  socket.on("gap", ({ from, to, reason }) => events.push({ gap: reason, from, to }));
  socket.on("chunk", ({ offset, init, key }, bytes) => {
    events.push({ offset, init: !!init, key: !!key, bytes: bytes.byteLength });
    queue.push(bytes);
    feed();
  });
  const { streams } = await granted(socket.emitWithAck("join", { room }));
  buffer = source.addSourceBuffer(streams[0].meta.type);
  buffer.addEventListener("updateend", () => {
    const { buffered } = video;
    if (buffered.length > 0 && video.currentTime < buffered.start(0)) video.currentTime = buffered.start(0);
    feed();
  });
  feed();
  const first = streams[0].meta.type.startsWith("audio/")
    ? new Promise((resolve) => video.addEventListener("playing", resolve, { once: true }))
    : new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  video.play();
  await first;
  const took = performance.now() - began;

  const from = video.currentTime;
  await new Promise((resolve) => {
    const look = setInterval(() => video.currentTime > from + 1 && resolve(clearInterval(look)), 20);
  });
  const colours = new Set();
  if (video.videoWidth > 0) {
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext("2d");
    canvas.drawImage(video, 0, 0);
    const pixels = new Uint32Array(canvas.getImageData(0, 0, video.videoWidth, video.videoHeight).data.buffer);
    for (const pixel of pixels) colours.add(pixel);
  }
  socket.disconnect();
  return { took, type: streams[0].type, width: video.videoWidth, colours: colours.size, audio: video.webkitAudioDecodedByteCount, events };
}
