// The connection to the server. It comes back by itself, and a hidden page
// asks for no live data.

import { pageId } from "./api.js";
import { decode } from "./protocol.js";

/** @typedef {import("./types.js").Hello} Hello */
/** @typedef {import("./types.js").Report} Report */
/** @typedef {import("./types.js").Batch} Batch */

const firstRetryMs = 500;
const lastRetryMs = 5000;
/** A connection without a word for this long is dead: batches come every 40 ms. */
const silentMs = 6000;
/** How long the server may take to say whether it knows this page's token. */
const answerMs = 3000;

/**
 * @typedef {object} Listener
 * @property {(hello: Hello) => void} hello
 * @property {(report: Report) => void} report
 * @property {(batch: Batch) => void} batch
 * @property {() => void} replay what follows replaces what the page has
 * @property {(batches: number) => void} skipped
 * @property {(text: string) => void} fault
 * @property {(why: "lost"|"denied") => void} down
 */

/** @param {Listener} listener */
export function connect(listener) {
  let retry = firstRetryMs;
  let heard = 0;
  let refused = false; // the server is there, and this page's token opens nothing
  /** @type {WebSocket|undefined} */
  let socket;

  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const ws = new WebSocket(`${scheme}://${location.host}/ws/console?console=${pageId()}`);
    ws.binaryType = "arraybuffer";
    socket = ws;
    heard = performance.now();
    ws.onopen = () => {
      retry = firstRetryMs;
      refused = false;
      if (document.hidden) ws.send(`{"type":"pause"}`);
    };
    ws.onmessage = (event) => {
      heard = performance.now();
      if (event.data instanceof ArrayBuffer) {
        try {
          listener.batch(decode(event.data));
        } catch (error) { // a server that was renewed under this page
          listener.fault(`The live data cannot be shown: ${error instanceof Error ? error.message : error}.`);
        }
        return;
      }
      const message = JSON.parse(event.data);
      if (message.type === "hello") listener.hello(message);
      else if (message.type === "status") listener.report(message);
      else if (message.type === "replay") listener.replay();
      else if (message.type === "skipped") listener.skipped(message.batches);
      else if (message.type === "fault") listener.fault(message.text);
    };
    ws.onclose = () => {
      if (socket === ws) again();
    };
  };

  const again = async () => {
    socket = undefined;
    listener.down(refused ? "denied" : "lost"); // at once: the question below may take a while on a dead line
    const before = refused;
    refused = await denied();
    if (refused !== before) listener.down(refused ? "denied" : "lost");
    setTimeout(open, retry);
    retry = Math.min(retry * 1.6, lastRetryMs);
  };

  setInterval(() => {
    if (!socket || document.hidden || performance.now() - heard < silentMs) return;
    const dead = socket;
    socket = undefined; // its onclose may take minutes: go on without it
    dead.close();
    again();
  }, 1000);

  document.addEventListener("visibilitychange", () => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    heard = performance.now();
    socket.send(document.hidden ? `{"type":"pause"}` : `{"type":"resume"}`);
  });

  open();
}

/** Whether the server is there but does not know this page's token any more. */
async function denied() {
  try {
    return (await fetch("/api/status", { cache: "no-store", signal: AbortSignal.timeout(answerMs) })).status === 401;
  } catch {
    return false; // the server is away
  }
}
