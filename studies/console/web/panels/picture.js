// The participant live, over WebRTC. The server draws the face's box before it encodes,
// sends nothing but what is being recorded, and blurs all while the console is blind.

import { reason, send } from "../api.js";
import { make, setText } from "../dom.js";

/** @typedef {"box"|"blurred"|"hidden"} Look */
/** @typedef {"hidden"|"connecting"|"live"|"lost"|"none"} State */

/** How long to wait before asking for the picture again, ms. */
const retryMs = 2000;
/** The server sends four pictures a second at least; so long without one is a loss, ms. */
const silenceMs = 4000;
/** How often it is looked whether pictures come, ms. */
const watchMs = 500;
const rememberedIn = "emolab-look";

/** @type {[Look, string, string][]} */
const looks = [
  ["box", "Box", "With the face's box and landmarks"],
  ["blurred", "Blurred", "With the head blurred, so that no expression can be read"],
  ["hidden", "Hidden", "No picture; nothing is sent"],
];

/**
 * Mounts the live picture.
 * @param {HTMLElement} host is given data-state: hidden, connecting, live, lost or none
 * @returns {{update: (report: {status: {blind?: boolean}}) => void, unmount: () => void, next: () => void}}
 *   next shows the next look, as the key F does
 */
export function mount(host) {
  const video = document.createElement("video");
  video.className = "live-video";
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  video.tabIndex = -1;
  video.setAttribute("aria-label", "The participant, live");
  const words = make("p", "live-words");
  words.setAttribute("role", "status");
  const choice = make("div", "live-looks");
  choice.setAttribute("role", "group");
  choice.setAttribute("aria-label", "Look of the live picture");
  const frame = make("div", "live-frame", video, words);
  host.classList.add("live-picture");
  host.append(frame, choice);

  /** @type {Map<Look, HTMLButtonElement>} */
  const buttons = new Map();
  for (const [look, name, title] of looks) {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = name;
    b.title = title;
    b.onclick = () => set(look);
    choice.append(b);
    buttons.set(look, b);
  }

  /** @type {Look} */
  let look = remembered();
  let blind = false;
  let turn = 0; // of the connection that counts; an older one that answers late does not
  let seen = 0; // page ms of the latest picture
  /** @type {RTCPeerConnection|undefined} */
  let pc;
  let retry = 0;

  /** @param {State} state @param {string} text */
  function say(state, text) {
    host.dataset.state = state;
    setText(words, text);
    words.hidden = text === "";
    video.hidden = state === "hidden" || state === "none";
  }

  function drop() {
    turn++;
    clearTimeout(retry);
    pc?.close();
    pc = undefined;
    video.srcObject = null;
  }

  /** @param {string} text what went wrong */
  function lose(text) {
    drop();
    say("lost", `${text} Trying again.`);
    retry = window.setTimeout(connect, retryMs);
  }

  async function connect() {
    drop();
    seen = performance.now(); // it has as long as any other silence
    if (host.dataset.state !== "lost") say("connecting", "Connecting to the picture.");
    if (!("RTCPeerConnection" in window)) {
      say("none", "This browser shows no live picture: WebRTC is switched off in it.");
      return;
    }
    const mine = turn;
    const own = new RTCPeerConnection();
    pc = own;
    own.ontrack = (e) => {
      e.receiver.jitterBufferTarget = 0; // as soon as it comes: nobody listens to it
      video.srcObject = new MediaStream([e.track]);
      video.play().catch(() => {}); // refused in the background; the page tries by itself
    };
    own.onconnectionstatechange = () => {
      if (mine === turn && ["failed", "closed"].includes(own.connectionState)) lose("The picture is lost.");
    };
    try {
      const transceiver = own.addTransceiver("video", { direction: "recvonly" });
      const codecs = RTCRtpReceiver.getCapabilities("video")?.codecs.filter((c) => c.mimeType.toLowerCase() === "video/vp8");
      if (codecs?.length) transceiver.setCodecPreferences(codecs);
      await own.setLocalDescription();
      await gathered(own);
      const answer = await send("/api/picture", { sdp: own.localDescription?.sdp, look });
      if (mine !== turn) return;
      if (answer.none) {
        drop();
        say("none", sentence(answer.none));
        return;
      }
      await own.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      seen = performance.now();
    } catch (e) {
      if (mine === turn) lose(sentence(reason(e)));
    }
  }

  /** @param {Look} wanted */
  function set(wanted) {
    look = wanted;
    localStorage.setItem(rememberedIn, look);
    press();
    if (look === "hidden") {
      drop();
      say("hidden", "The picture is hidden.");
      return;
    }
    host.dataset.state = "connecting";
    connect();
  }

  function press() {
    for (const [name, b] of buttons) b.setAttribute("aria-pressed", String(name === look));
    const box = buttons.get("box");
    if (box) box.title = blind ? "Blurred too, while the console is blind" : looks[0][2];
  }

  const each = () => {
    seen = performance.now();
    if (pc) say("live", "");
    video.requestVideoFrameCallback(each);
  };
  video.requestVideoFrameCallback(each);
  const watch = setInterval(() => {
    // A page in the background is given no pictures, and misses none.
    if (pc && document.visibilityState === "visible" && seen && performance.now() - seen > silenceMs) lose("No picture comes.");
  }, watchMs);
  const visible = () => { seen = performance.now(); };
  document.addEventListener("visibilitychange", visible);
  set(look);

  return {
    update(report) {
      if (Boolean(report.status.blind) === blind) return;
      blind = !blind;
      press();
    },
    next() {
      const at = looks.findIndex(([name]) => name === look);
      set(looks[(at + 1) % looks.length][0]);
    },
    unmount() {
      clearInterval(watch);
      document.removeEventListener("visibilitychange", visible);
      drop();
      frame.remove();
      choice.remove();
    },
  };
}

/** @returns {Look} what was chosen last on this computer */
function remembered() {
  const kept = localStorage.getItem(rememberedIn);
  return kept === "blurred" || kept === "hidden" ? kept : "box";
}

/** All addresses of this end go with the offer. @param {RTCPeerConnection} pc */
function gathered(pc) {
  if (pc.iceGatheringState === "complete") return undefined;
  return Promise.race([
    new Promise((resolve) => setTimeout(resolve, 1000)),
    new Promise((resolve) => {
      pc.onicegatheringstatechange = () => { if (pc.iceGatheringState === "complete") resolve(undefined); };
    }),
  ]);
}

/** @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
