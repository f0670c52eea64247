// The replay of a recorded session: clip, gaze, face and traces under one cursor. This
// module puts the others together and draws on the page's own frame clock.

import { Refusal, reason } from "../api.js";
import { byId, setText } from "../dom.js";
import { wireTheme } from "../theme.js";
import { Annotations } from "./annotations.js";
import { Charts } from "./charts.js";
import { listSessions } from "./choose.js";
import { Editor } from "./aoi/editor.js";
import { Face } from "./face.js";
import { Frames } from "./frames.js";
import { Heat } from "./heat.js";
import { wireKeys } from "./keys.js";
import { Lanes } from "./lanes.js";
import { isUnit, unitWords } from "./panels.js";
import { Playhead, View } from "./playhead.js";
import { showQuality } from "./quality.js";
import { Screen } from "./screen.js";
import { wireShortcuts } from "./shortcuts.js";
import { Source, unanswered } from "./source.js";
import { wireTabs } from "./tabs.js";
import { Transport } from "./transport.js";

const session = decodeURIComponent(location.pathname.replace(/^\/replay\/?/, ""));

let silent = false; // whether the banner says that nobody answers

/** @param {unknown} error */
function fault(error) {
  const words = reason(error);
  silent = unanswered(error);
  setText(byId("banner"), words.replace(/^./, (c) => c.toUpperCase()) + (/[.!?]$/.test(words) ? "" : "."));
  byId("banner").hidden = false;
}

/** What was recorded may be erased while it is looked at: then nothing of it stays here.
 * @param {Source} source @param {Refusal|undefined} refusal */
async function answered(source, refusal) {
  if (!refusal && silent) {
    silent = false;
    byId("banner").hidden = true;
  }
  if (refusal?.status !== 404) return;
  source.onAnswer = () => {};
  await source.recording().catch((error) => {
    if (error instanceof Refusal && error.status === 404) location.reload();
  });
  source.onAnswer = (again) => answered(source, again);
}

let restyle = () => {};
wireTheme(() => restyle());

byId("help").onclick = () => /** @type {HTMLDialogElement} */ (byId("help-dialog")).showModal();
byId("help-close").onclick = () => /** @type {HTMLDialogElement} */ (byId("help-dialog")).close();

/** Where to begin: as the address says, or with the first clip. @param {import("./types.js").Recording} recording */
function begin(recording) {
  const asked = new URL(location.href).searchParams.get("t");
  return (asked === null ? recording.presentations[0]?.from_ms : Number(asked)) || 0;
}

async function start() {
  if (!session) {
    byId("choose").hidden = false;
    await listSessions();
    return;
  }
  const source = new Source(session);
  const recording = await source.recording();
  source.onAnswer = (refusal) => answered(source, refusal);
  byId("replay").hidden = false;
  byId("actions").hidden = false;
  document.title = `${recording.participant} · Emolab replay`;
  setText(byId("participant"), recording.participant);
  setText(byId("about"), [recording.study, recording.state, recording.session].filter(Boolean).join(" · "));
  byId("simulated").hidden = !recording.streams.some((s) => s.simulated);

  const head = new Playhead(recording.duration_ms);
  head.seek(begin(recording)); // before anything writes the address
  const view = new View(recording.duration_ms);
  const frames = new Frames(source, recording, fault);
  const screen = new Screen(frames, recording);
  const face = new Face(source, recording);
  const charts = new Charts(source, recording, head, view, fault);
  const lanes = new Lanes(recording, head, view);
  const transport = new Transport(head, view, frames, recording);
  const heat = new Heat(source, frames);
  const editor = new Editor(source, frames, head, screen);
  const go = (/** @type {number} */ t) => transport.go(t);
  const annotations = new Annotations(source, recording, head, () => lanes.draw(), go);
  showQuality(recording, go);
  wireTabs(charts, charts.columns.filter(isUnit), unitWords);
  wireShortcuts({ head, view, transport, annotations, editor, heat, screen, redraw: () => redraw() }, wireKeys);

  let stale = true;
  const redraw = () => { stale = true; };
  for (const part of [frames, face, heat, screen]) part.onArrival = redraw;
  screen.onResize = redraw;
  head.listen(redraw);
  restyle = () => charts.compose();
  source.events().then((events) => {
    screen.fixations = events.fixations ?? [];
    charts.responses((events.eda_responses ?? []).map((r) => r.at_ms));
    redraw();
  }, fault);

  let last = performance.now();
  /** @param {number} now */
  const frame = (now) => {
    requestAnimationFrame(frame);
    head.advance(Math.min(250, now - last)); // a page that was hidden does not jump
    last = now;
    if (!stale) return;
    stale = false;
    if (head.playing) view.follow(head.t);
    screen.draw(head);
    face.draw(head.t, head.playing);
    heat.draw(head.t);
    editor.draw();
    charts.read();
  };
  requestAnimationFrame(frame);
}

try {
  await start();
  document.body.dataset.ready = "true";
} catch (error) {
  fault(error instanceof Refusal && error.status === 404 ? `${reason(error)}; choose one from the list of sessions` : error);
}
