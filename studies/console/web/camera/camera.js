// Makes this browser's camera the lab's: asks for it, offers it to the server, and
// answers the server's questions for the time, so that every picture can be put on the
// lab's clock.

/** How long to wait before offering the camera again, ms. */
const retryMs = 2000;
/** The server sends a ping each second; so much silence is a lost connection, ms. */
const silenceMs = 6000;
/** The server answers an offer in less than a second; one that does not in so long is away, ms. */
const answerMs = 10000;
/** How often a camera that is not there is looked for, ms. */
const lookMs = 5000;
/** How long the preview stays when all is well: whoever is filmed must not watch themselves, ms. */
const previewMs = 20000;
/** How often the server is told when the preview's latest picture was taken, ms. */
const capturedMs = 250;
/** Enough for 640x480 at 30 pictures a second without visible squares, bit/s. */
const maxBitrate = 2_500_000;
/** The header in which the browser says when each picture was taken. */
const captureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

/** @typedef {RTCRtpTransceiver & {
 *   getHeaderExtensionsToNegotiate?: () => {uri: string, direction: string}[],
 *   setHeaderExtensionsToNegotiate?: (list: {uri: string, direction: string}[]) => void}} Transceiver */

const preview = /** @type {HTMLVideoElement} */ (document.getElementById("preview"));
const again = /** @type {HTMLButtonElement} */ (document.getElementById("again"));

/** @param {"asking"|"refused"|"connecting"|"live"|"lost"} state @param {string} words @param {string} [advice] */
function show(state, words, advice = "") {
  document.body.dataset.state = state;
  for (const [id, text] of [["state", words], ["advice", advice]]) {
    const e = /** @type {HTMLElement} */ (document.getElementById(id));
    if (e.textContent !== text) e.textContent = text;
  }
  again.hidden = state !== "refused";
  if (state !== "live") previewed();
}

/** When the preview was needed last, page ms. */
let needed = 0;

/** The preview is needed now: to point the camera, or because something is wrong. */
function previewed() {
  needed = performance.now();
  delete document.body.dataset.dim;
}

/** This page's clock in µs since 1970. @param {number} [ms] since the page's time origin */
function ticks(ms = performance.now()) {
  return Math.round((performance.timeOrigin + ms) * 1000);
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The camera, or undefined when there is none to be had; the page then says why. */
async function open() {
  show("asking", "Asking for the camera.", "Allow it where the browser asks.");
  if (!navigator.mediaDevices) {
    show("refused", "The browser gives no camera to this address.", "Open the page by its address with https, or on the lab's own computer.");
    return undefined;
  }
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
    });
  } catch (e) {
    const name = e instanceof DOMException ? e.name : "";
    allowed = name !== "NotAllowedError";
    if (!allowed) show("refused", "The camera was not allowed.", "Allow it in the browser's settings of this page, then ask again.");
    else if (name === "NotFoundError" || name === "OverconstrainedError") show("refused", "There is no camera on this device.", "Plug one in: it is looked for.");
    else if (name === "NotReadableError") show("refused", "Another program has the camera.", "Close that program: it is tried again.");
    else show("refused", "The camera cannot be used.", `${e}`);
    return undefined;
  }
}

/** Whether the camera was not refused by a person: then it is looked for without being asked. */
let allowed = true;

/** Resolves when it is time to ask for the camera again. */
function another() {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      navigator.mediaDevices?.removeEventListener("devicechange", done);
      resolve(undefined);
    };
    const timer = allowed && navigator.mediaDevices ? setTimeout(done, lookMs) : 0;
    if (allowed) navigator.mediaDevices?.addEventListener("devicechange", done);
    again.onclick = done;
    navigator.permissions?.query({ name: /** @type {PermissionName} */ ("camera") })
      .then((p) => { p.onchange = () => { if (p.state === "granted") done(); }; }, () => {}); // unknown there
  });
}

/** Whether the browser will say when each picture was taken. @param {Transceiver} t */
function askForCaptureTimes(t) {
  const list = t.getHeaderExtensionsToNegotiate?.();
  if (!list || !t.setHeaderExtensionsToNegotiate) return;
  for (const e of list) if (e.uri === captureTime) e.direction = "sendrecv";
  t.setHeaderExtensionsToNegotiate(list);
}

/** VP8 is what the server speaks. @param {RTCRtpTransceiver} t */
function onlyVP8(t) {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs.filter((c) => c.mimeType.toLowerCase() === "video/vp8");
  if (codecs?.length) t.setCodecPreferences(codecs);
}

/** One connection to the server, until it is lost.
 * @param {MediaStream} stream @param {MediaStreamTrack} track */
async function connect(stream, track) {
  const pc = new RTCPeerConnection();
  try {
    const transceiver = pc.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    onlyVP8(transceiver);
    askForCaptureTimes(transceiver);
    const clock = pc.createDataChannel("clock", { ordered: false, maxRetransmits: 0 });
    let heard = performance.now();
    clock.onmessage = (e) => {
      const rx = ticks(); // first thing
      const m = JSON.parse(e.data);
      if (m.type === "ping") clock.send(JSON.stringify({ type: "pong", id: m.id, rx, tx: ticks() }));
      heard = performance.now();
    };
    await pc.setLocalDescription();
    await gathered(pc);
    const response = await fetch("/api/camera", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      signal: AbortSignal.timeout(answerMs), // a network that has gone answers nobody
      body: JSON.stringify({ sdp: pc.localDescription?.sdp, device: `${track.label}, ${browser()}` }),
    });
    const answer = await response.json();
    if (!response.ok) {
      show("lost", "The lab does not take this camera.", `${sentence(answer.error)} It is tried again.`);
      return;
    }
    await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    await sharp(transceiver.sender);
    heard = performance.now();
    while (performance.now() - heard < silenceMs && track.readyState === "live" && !["failed", "closed"].includes(pc.connectionState)) {
      if (pc.connectionState === "connected") well(track);
      tellCaptured(clock);
      await pause(capturedMs);
    }
    if (track.readyState === "live") show("lost", "The connection is lost. Connecting again.", "Is this device still in the lab's network?");
  } finally {
    pc.close();
  }
}

/** Says how it is while the lab has the camera. @param {MediaStreamTrack} track */
function well(track) {
  if (track.muted) {
    show("lost", "The camera gives no pictures.", "Is it covered or switched off, or has another program taken it?");
    return;
  }
  const asleep = awake && !awake.released ? "" : " Switch its screen lock off, or it falls asleep.";
  show("live", "The camera is connected.", `Leave this page open and this device where it stands.${asleep}`);
  if (performance.now() - needed > previewMs) document.body.dataset.dim = "true";
}

/** @param {unknown} text */
function sentence(text) {
  const words = `${text ?? "It does not say why"}`;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

/** All addresses of this end go with the offer. @param {RTCPeerConnection} pc */
function gathered(pc) {
  if (pc.iceGatheringState === "complete") return undefined;
  return Promise.race([pause(1000), new Promise((resolve) => {
    pc.onicegatheringstatechange = () => { if (pc.iceGatheringState === "complete") resolve(undefined); };
  })]);
}

/** A narrow line costs pictures, not their sharpness: a face of few pixels cannot be read.
 * @param {RTCRtpSender} sender */
async function sharp(sender) {
  const p = sender.getParameters();
  p.degradationPreference = "maintain-resolution";
  for (const e of p.encodings) e.maxBitrate = maxBitrate;
  await sender.setParameters(p).catch(() => {}); // a browser that cannot goes on as it does
}

/** The browser's name and the system's, without the rest. */
function browser() {
  const known = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(navigator.userAgent);
  const system = /\(([^;)]+)/.exec(navigator.userAgent);
  return `${known ? `${known[1] === "Version" ? "Safari" : known[1]} ${known[2]}` : "browser"} on ${system ? system[1] : "an unknown system"}`;
}

/** When the preview's latest picture was taken, by this page's clock; 0 = not known. */
let captured = 0;

/** The server compares it with what the browser says of the pictures that it sends.
 * @param {RTCDataChannel} clock */
function tellCaptured(clock) {
  if (!captured || clock.readyState !== "open") return;
  clock.send(JSON.stringify({ type: "captured", at: ticks(captured) }));
  captured = 0;
}

function watchPreview() {
  /** @param {number} _now @param {VideoFrameCallbackMetadata} m */
  const each = (_now, m) => {
    captured = m.captureTime ?? 0;
    preview.requestVideoFrameCallback(each);
  };
  preview.requestVideoFrameCallback?.(each);
}

/** Keeps the screen on. @type {WakeLockSentinel|undefined} */
let awake;

async function stayAwake() {
  try {
    if (document.visibilityState === "visible") awake = await navigator.wakeLock?.request("screen");
  } catch {
    awake = undefined; // refused, as with an empty battery: the page says what to do
  }
}

async function main() {
  document.addEventListener("visibilitychange", stayAwake);
  stayAwake();
  watchPreview();
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, previewed);
  for (;;) {
    const stream = await open();
    const track = stream?.getVideoTracks()[0];
    if (!stream || !track) {
      await another();
      continue;
    }
    track.contentHint = "motion";
    preview.srcObject = stream;
    preview.play().catch(() => {}); // autoplay does it where this may not
    /** @type {HTMLElement} */ (document.getElementById("device")).textContent = track.label;
    while (track.readyState === "live") {
      if (document.body.dataset.state !== "lost") show("connecting", "Connecting to the lab.");
      try {
        await connect(stream, track);
      } catch {
        show("lost", "The lab does not answer.", "It is tried again. Is Emolab running?");
      }
      await pause(retryMs);
    }
    show("lost", "The camera has gone.", "Is it still plugged in? It is looked for again.");
    await pause(retryMs);
  }
}

main();
