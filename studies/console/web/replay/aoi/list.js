// The areas of the clip as a list, and what is known of the chosen one: name, tag,
// keyframes.

import { byId, make, setText } from "../../dom.js";
import { addKeyframe, crosses, freeName, geometryAt, hideFrom, keyframeAt, removeKeyframe } from "./shapes.js";

const shapeWords = { rect: "rectangle", ellipse: "ellipse", polygon: "polygon" };

export class AreaList {
  /** @param {import("./drawing.js").Drawing} drawing @param {() => void} changed @param {(t: number) => void} go to a time of the clip in s */
  constructor(drawing, changed, go) {
    this.drawing = drawing;
    this.changed = changed;
    this.go = go;
    this.name = /** @type {HTMLInputElement} */ (byId("area-name"));
    this.tag = /** @type {HTMLInputElement} */ (byId("area-tag"));
    this.name.onchange = () => this.rename();
    this.tag.onchange = () => this.retag();
    byId("area-copy").onclick = () => this.copy();
    byId("area-delete").onclick = () => this.remove();
    byId("keyframe-add").onclick = () => this.keyframe();
    byId("keyframe-hide").onclick = () => this.hide();
  }

  get document() {
    return this.drawing.document;
  }

  rename() {
    const doc = this.document;
    const area = doc?.area;
    const wanted = this.name.value.trim();
    if (doc && area && wanted && wanted !== area.name) doc.replace({ ...area, name: freeName(doc.areas, wanted) });
    this.changed();
  }

  retag() {
    const area = this.document?.area;
    if (!area) return;
    const { tag: _old, ...rest } = area;
    this.document?.replace(this.tag.value.trim() ? { ...rest, tag: this.tag.value.trim() } : rest);
    this.changed();
  }

  copy() {
    const doc = this.document;
    if (doc?.area) doc.add({ ...doc.area, name: freeName(doc.areas, doc.area.name) });
    this.changed();
  }

  remove() {
    this.document?.remove();
    this.changed();
  }

  keyframe() {
    const area = this.document?.area;
    if (area) this.document?.replace(addKeyframe(area, this.drawing.t));
    this.changed();
  }

  hide() {
    const area = this.document?.area;
    if (area) this.document?.replace(hideFrom(area, this.drawing.t));
    this.changed();
  }

  show() {
    const doc = this.document;
    const areas = doc?.areas ?? [];
    byId("no-areas").hidden = areas.length > 0;
    const there = areas.map((area) => geometryAt(area, this.drawing.t) !== null);
    relist(byId("area-list"), [doc?.stimulus, doc?.selected, areas, there], () => areas.map((area, i) => {
      const here = there[i];
      const choose = make("button", `plain pick${here ? "" : " away"}`, make("strong", "", area.name),
        make("span", "quiet", `${area.tag ? `${area.tag} · ` : ""}${shapeWords[area.shape]}${crossed(area) ? " that crosses itself" : ""}${area.keyframes ? `, ${area.keyframes.length} keyframes` : ""}${here ? "" : ", not in this frame"}`));
      choose.setAttribute("type", "button");
      choose.setAttribute("aria-pressed", String(i === doc?.selected));
      choose.onclick = () => {
        if (doc) doc.selected = i;
        this.changed();
      };
      return make("li", "", choose);
    }));
    const area = doc?.area;
    byId("area-form").hidden = !area;
    if (area) this.showArea(area);
  }

  /** @param {import("../types.js").Area} area */
  showArea(area) {
    if (document.activeElement !== this.name) this.name.value = area.name;
    if (document.activeElement !== this.tag) this.tag.value = area.tag ?? "";
    const now = keyframeAt(area, this.drawing.t);
    byId("keyframe-add").toggleAttribute("disabled", now >= 0 && !area.keyframes?.[now].hidden);
    byId("keyframe-hide").toggleAttribute("disabled", geometryAt(area, this.drawing.t) === null);
    setText(byId("keyframe-words"), area.keyframes
      ? "Between keyframes it moves in straight lines. Moving it here makes a keyframe of this frame."
      : "It stands still. A keyframe lets it move.");
    relist(byId("keyframe-list"), [this.document?.stimulus, area, now], () => (area.keyframes ?? []).map((k, i) => {
      const jump = make("button", "plain num jump", `${k.t_s.toFixed(3)} s`);
      jump.setAttribute("aria-label", `Go to the keyframe at ${k.t_s.toFixed(3)} s`);
      if (i === now) jump.setAttribute("aria-current", "true");
      jump.onclick = () => this.go(k.t_s);
      const remove = make("button", "plain", "Delete");
      remove.setAttribute("aria-label", `Delete the keyframe at ${k.t_s.toFixed(3)} s`);
      remove.toggleAttribute("disabled", removeKeyframe(area, i) === area);
      remove.onclick = () => {
        this.document?.replace(removeKeyframe(area, i));
        this.changed();
      };
      for (const b of [jump, remove]) b.setAttribute("type", "button");
      return make("li", "", jump, make("span", "quiet", k.hidden ? "hidden from here" : ""), remove);
    }));
  }
}

/** Whether an area's outline crosses itself in any of its keyframes. @param {import("../types.js").Area} area */
const crossed = (area) => [area, ...(area.keyframes ?? [])].some((k) => k.points && crosses(k.points));

/** Draws a list anew when it shows something else, and gives the focus back to the button
 * that had it. @param {HTMLElement} list @param {unknown} shown @param {() => HTMLElement[]} items */
function relist(list, shown, items) {
  const key = JSON.stringify(shown);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  const at = [...list.querySelectorAll("button")].findIndex((b) => b === document.activeElement);
  list.replaceChildren(...items());
  if (at >= 0) list.querySelectorAll("button")[at]?.focus({ preventScroll: true });
}
