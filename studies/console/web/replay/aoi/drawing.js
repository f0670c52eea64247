// Areas over the picture: seen always, and drawn, moved and resized while they are edited,
// by pointer and by keyboard.

import { byId } from "../../dom.js";
import { boxOf, corners, crosses, flat, geometryAt, moved, newArea, place, smallest, withCorner } from "./shapes.js";

/** @typedef {import("../types.js").Area} Area */
/** @typedef {import("../types.js").Geometry} Geometry */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {"select"|import("../types.js").ShapeName} Tool */

/** One press of an arrow, as a fraction of the clip; Shift makes ten of it. */
const nudge = 0.002;
/** The polygon is closed by a click so near to its first corner, px. */
const closePx = 9;
const svg = "http://www.w3.org/2000/svg";
const arrows = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] });

/** @param {string} tag @param {Record<string, string|number>} attributes */
function element(tag, attributes) {
  const e = document.createElementNS(svg, tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, String(value));
  return e;
}

export class Drawing {
  /** @param {() => void} changed @param {(words: string) => void} say tells whoever draws something; "" takes it back */
  constructor(changed, say) {
    this.changed = changed;
    this.say = say;
    this.svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (byId("areas")));
    /** @type {import("./document.js").AreaDocument|undefined} */
    this.document = undefined;
    this.t = 0; // s of the clip
    this.editing = false;
    /** @type {Tool} */
    this.tool = "select";
    /** @type {Point[]} corners of the polygon that is being drawn */
    this.open = [];
    /** @type {Point|null} */
    this.pointer = null;
    /** @type {{from: Point, geometry: Geometry|null, corner: number, gesture: string}|null} */
    this.drag = null;
    this.gestures = 0;
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerup", (event) => this.up(event));
    this.svg.addEventListener("dblclick", () => this.close());
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {Tool} tool */
  choose(tool) {
    this.say("");
    this.tool = tool;
    this.open = [];
    this.drag = null;
    this.changed();
  }

  /** Draws what there is. @param {number} width px @param {number} height px */
  draw(width, height) {
    const focus = this.svg.contains(document.activeElement) ? document.activeElement?.getAttribute("data-corner") : null;
    this.svg.setAttribute("viewBox", `0 0 ${Math.max(1, width)} ${Math.max(1, height)}`);
    this.svg.classList.toggle("drawing", this.editing && this.tool !== "select");
    if (this.editing) this.svg.setAttribute("tabindex", "0");
    else this.svg.removeAttribute("tabindex");
    const areas = this.document?.areas ?? [];
    /** @type {Element[]} */
    const parts = [];
    areas.forEach((area, i) => {
      const g = geometryAt(area, this.t);
      if (g) parts.push(...this.shape(area, g, i, width, height));
    });
    const area = this.editing ? this.document?.area : undefined;
    const g = area && geometryAt(area, this.t);
    if (g && this.tool === "select") parts.push(...this.handles(g, width, height));
    if (this.open.length > 0) parts.push(...this.unfinished(width, height));
    this.svg.replaceChildren(...parts);
    if (focus !== null) /** @type {SVGElement|null} */ (this.svg.querySelector(`[data-corner="${focus}"]`))?.focus();
  }

  /** @param {Area} area @param {Geometry} g @param {number} i @param {number} w @param {number} h */
  shape(area, g, i, w, h) {
    const chosen = this.editing && i === this.document?.selected;
    const look = { class: `area${chosen ? " chosen" : ""}`, "data-area": i };
    let shape;
    if (g.points) shape = element("polygon", { ...look, points: g.points.map(([x, y]) => `${x * w},${y * h}`).join(" ") });
    else {
      const [x, y, bw, bh] = g.box ?? [0, 0, 1, 1];
      shape = area.shape === "ellipse"
        ? element("ellipse", { ...look, cx: (x + bw / 2) * w, cy: (y + bh / 2) * h, rx: (bw / 2) * w, ry: (bh / 2) * h })
        : element("rect", { ...look, x: x * w, y: y * h, width: bw * w, height: bh * h });
    }
    const [left, top] = corners(g).reduce(([ax, ay], [x, y]) => [Math.min(ax, x), Math.min(ay, y)], [1, 1]);
    const label = element("text", { class: `area-name${chosen ? " chosen" : ""}`, x: left * w + 4, y: Math.max(12, top * h - 5) });
    label.textContent = area.name;
    return [shape, label];
  }

  /** @param {Geometry} g @param {number} w @param {number} h */
  handles(g, w, h) {
    return corners(g).map(([x, y], i) => element("circle", {
      class: "handle", cx: x * w, cy: y * h, r: 6, "data-corner": i, tabindex: 0, role: "button",
      "aria-label": `Corner ${i + 1} of ${this.document?.area?.name}: arrows move it`,
    }));
  }

  /** @param {number} w @param {number} h */
  unfinished(w, h) {
    const points = this.pointer ? [...this.open, this.pointer] : this.open;
    return [
      element("polyline", { class: "area chosen open", points: points.map(([x, y]) => `${x * w},${y * h}`).join(" ") }),
      ...this.open.map(([x, y]) => element("circle", { class: "handle", cx: x * w, cy: y * h, r: 4 })),
    ];
  }

  /** @param {PointerEvent} event @returns {Point} */
  at(event) {
    const box = this.svg.getBoundingClientRect();
    const share = (/** @type {number} */ v) => Math.min(1, Math.max(0, v));
    return [share((event.clientX - box.left) / box.width), share((event.clientY - box.top) / box.height)];
  }

  /** @param {PointerEvent} event */
  down(event) {
    const doc = this.document;
    if (!this.editing || !doc || event.button !== 0) return;
    const from = this.at(event);
    if (this.tool === "polygon") return this.corner(from);
    this.svg.setPointerCapture(event.pointerId);
    const gesture = `drag ${++this.gestures}`;
    if (this.tool !== "select") {
      this.drag = { from, geometry: null, corner: -1, gesture };
      return;
    }
    const target = /** @type {Element} */ (event.target);
    const corner = Number(target.getAttribute("data-corner") ?? -1);
    if (corner < 0) {
      this.svg.focus({ preventScroll: true });
      doc.selected = Number(target.getAttribute("data-area") ?? -1);
    }
    const geometry = doc.area ? geometryAt(doc.area, this.t) : null;
    this.drag = geometry ? { from, geometry, corner, gesture } : null;
    this.changed();
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { drag, document: doc } = this;
    const [x, y] = this.at(event);
    this.pointer = this.open.length > 0 ? [x, y] : null;
    if (this.pointer) this.changed();
    if (!drag || !doc) return;
    if (drag.geometry && doc.area) {
      if (x === drag.from[0] && y === drag.from[1]) return;
      const g = drag.corner >= 0 ? withCorner(drag.geometry, drag.corner, x, y) : moved(drag.geometry, x - drag.from[0], y - drag.from[1]);
      doc.replace(place(doc.area, this.t, g), drag.gesture);
    } else if (this.tool === "rect" || this.tool === "ellipse") {
      const g = boxOf(drag.from[0], drag.from[1], x, y);
      if (drag.corner === -1) { // the first move makes it
        if (Math.max(g.box?.[2] ?? 0, g.box?.[3] ?? 0) < 2 * smallest) return;
        doc.add(newArea(doc.areas, this.tool, g));
        doc.gesture = drag.gesture;
        drag.corner = 2;
      } else if (doc.area) doc.replace(place(doc.area, this.t, g), drag.gesture);
    }
    this.changed();
  }

  /** @param {PointerEvent} event */
  up(event) {
    const made = this.drag && !this.drag.geometry && this.drag.corner >= 0;
    this.drag = null;
    if (this.svg.hasPointerCapture(event.pointerId)) this.svg.releasePointerCapture(event.pointerId);
    if (made) this.made();
  }

  /** Back to choosing, with the name of what was drawn to be typed. */
  made() {
    this.choose("select");
    const name = /** @type {HTMLInputElement} */ (byId("area-name"));
    name.focus();
    name.select();
  }

  /** One more corner of a polygon. @param {Point} at */
  corner(at) {
    const box = this.svg.getBoundingClientRect();
    const near = (/** @type {Point} */ p) => Math.hypot((p[0] - at[0]) * box.width, (p[1] - at[1]) * box.height) < closePx;
    if (this.open.length > 2 && near(this.open[0])) return this.close();
    const last = this.open.at(-1);
    if (last && near(last)) return; // the second click of a double click
    this.say("");
    this.open.push(at);
    this.changed();
  }

  close() {
    const { document: doc, open } = this;
    if (!doc || open.length === 0) return;
    if (open.length < 3) return this.say("A polygon has three corners at least: click the next one. Esc takes it back.");
    if (flat(open)) return this.say("These corners lie on one line, and nothing inside: click another one. Esc takes it back.");
    doc.add(newArea(doc.areas, "polygon", { points: open }));
    this.open = [];
    this.pointer = null;
    this.made();
    if (crosses(open)) this.say("The outline crosses itself: only what is filled belongs to the area.");
  }

  /** Arrows move the area, or the corner that has the focus; Enter draws without a pointer.
   * @param {KeyboardEvent} event */
  key(event) {
    const doc = this.document;
    if (!this.editing || !doc || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && (this.open.length > 0 || this.tool !== "select")) this.choose("select");
    else if (event.key === "Enter" && this.open.length > 0) this.close();
    else if (event.key === "Enter" && this.tool !== "select") {
      const points = /** @type {Point[]} */ ([[0.35, 0.4], [0.65, 0.4], [0.65, 0.6], [0.35, 0.6]]);
      doc.add(newArea(doc.areas, this.tool, this.tool === "polygon" ? { points } : boxOf(0.35, 0.4, 0.65, 0.6)));
      this.made();
    } else if (arrows[event.key] && doc.area && !event.altKey) {
      const g = geometryAt(doc.area, this.t);
      if (!g) return;
      const [dx, dy] = arrows[event.key].map((d) => d * nudge * (event.shiftKey ? 10 : 1));
      const corner = Number(/** @type {Element} */ (event.target).getAttribute("data-corner") ?? -1);
      const [x, y] = corner >= 0 ? corners(g)[corner] : [0, 0];
      doc.replace(place(doc.area, this.t, corner >= 0 ? withCorner(g, corner, x + dx, y + dy) : moved(g, dx, dy)), `arrows ${doc.selected} ${corner} ${this.t}`);
      this.changed();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
