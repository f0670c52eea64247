// Play, pace, steps and jumps; the readout of the time; the slider over the whole session.

import { byId, setText } from "../dom.js";
import { isSaid } from "./lanes.js";
import { exact } from "./screen.js";

/** Two times that are closer than this are one when jumping, ms. */
const sameMs = 1;
/** The address follows the cursor at most this often, ms. */
const addressMs = 500;

export class Transport {
  /** @param {import("./playhead.js").Playhead} head @param {import("./playhead.js").View} view
   * @param {import("./frames.js").Frames} frames @param {import("./types.js").Recording} recording */
  constructor(head, view, frames, recording) {
    this.head = head;
    this.view = view;
    this.frames = frames;
    this.recording = recording;
    this.slider = byId("overview");
    this.written = 0;
    this.stepping = Promise.resolve();
    byId("play").onclick = () => head.play();
    byId("back").onclick = () => this.step(-1);
    byId("on").onclick = () => this.step(1);
    byId("earlier").onclick = () => this.jump(-1);
    byId("later").onclick = () => this.jump(1);
    byId("slower").onclick = () => head.pace(-1);
    byId("faster").onclick = () => head.pace(1);
    byId("loop").onclick = () => this.loop();
    byId("all").onclick = () => view.all();
    byId("zoom-selection").onclick = () => this.zoomSelection();
    this.wireSlider();
    head.listen(() => this.draw());
    this.draw();
  }

  wireSlider() {
    const { slider, head } = this;
    slider.setAttribute("aria-valuemax", String(Math.round(head.duration)));
    const to = (/** @type {PointerEvent} */ event) => {
      const box = slider.getBoundingClientRect();
      head.seek(((event.clientX - box.left) / box.width) * head.duration);
      this.view.follow(head.t);
    };
    slider.onpointerdown = (event) => {
      slider.setPointerCapture(event.pointerId);
      to(event);
    };
    slider.onpointermove = (event) => {
      if (slider.hasPointerCapture(event.pointerId)) to(event);
    };
  }

  /** One frame that was displayed. Steps wait for each other, so that none is lost. @param {1|-1} direction */
  step(direction) {
    return this.walk(() => this.frames.step(this.head.t, direction));
  }

  /** One frame of the camera. @param {1|-1} direction */
  stepCamera(direction) {
    return this.walk(() => this.frames.stepCamera(this.head.t, direction));
  }

  /** @param {() => Promise<number>} to */
  walk(to) {
    this.head.play(false);
    this.stepping = this.stepping.then(async () => this.go(await to()), () => {});
    return this.stepping;
  }

  /** @param {number} t */
  go(t) {
    this.head.seek(t);
    this.view.follow(this.head.t);
  }

  /** To the next clip, mark or annotation, or the one before. @param {1|-1} direction */
  jump(direction) {
    const { presentations, markers, annotations } = this.recording;
    const times = [...presentations.map((p) => p.from_ms), ...markers.filter(isSaid).map((m) => m.at_ms), ...annotations.filter((a) => !a.removed_utc).map((a) => a.from_ms)]
      .sort((a, b) => a - b);
    const t = direction > 0 ? times.find((x) => x > this.head.t + sameMs) : times.findLast((x) => x < this.head.t - sameMs);
    this.go(t ?? (direction > 0 ? this.head.duration : 0));
  }

  loop() {
    const { head } = this;
    if (!head.selection) {
      const p = this.frames.at(head.t);
      head.select(p ? { from: p.from_ms, until: p.until_ms } : { from: this.view.from, until: this.view.until });
    }
    head.loop = !head.loop;
    head.tell();
  }

  zoomSelection() {
    const s = this.head.selection ?? this.frames.at(this.head.t);
    if (s) this.view.show("from" in s ? s.from : s.from_ms, "until" in s ? s.until : s.until_ms);
  }

  draw() {
    const { head } = this;
    const play = byId("play");
    play.setAttribute("aria-label", head.playing ? "Pause" : "Play");
    play.querySelector("use")?.setAttribute("href", head.playing ? "#r-pause" : "#r-play");
    setText(byId("time"), exact(head.t));
    setText(byId("total"), exact(head.duration));
    setText(byId("speed"), `${head.speed}×`);
    byId("loop").setAttribute("aria-pressed", String(head.loop));
    const s = head.selection;
    setText(byId("selected"), s ? `${exact(s.from).slice(3)} – ${exact(s.until).slice(3)}` : "");
    this.slider.setAttribute("aria-valuenow", String(Math.round(head.t)));
    this.slider.setAttribute("aria-valuetext", exact(head.t));
    this.address();
  }

  /** Keeps the place in the address, so that a reload and a link lead to it. */
  address() {
    const now = performance.now();
    clearTimeout(this.timer);
    if (now - this.written < addressMs) {
      this.timer = setTimeout(() => this.address(), addressMs);
      return;
    }
    this.written = now;
    const url = new URL(location.href);
    url.searchParams.set("t", String(this.head.t)); // all digits: rounded it may lie in the frame before
    history.replaceState(null, "", url);
  }

  /** @type {ReturnType<typeof setTimeout>|undefined} */
  timer = undefined;
}
