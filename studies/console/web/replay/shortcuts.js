// Which key does what on this page.

import { byId } from "../dom.js";

/** One press zooms by this. */
const closer = 0.6;
const secondMs = 1000;

/**
 * @param {{head: import("./playhead.js").Playhead, view: import("./playhead.js").View, transport: import("./transport.js").Transport,
 *   annotations: import("./annotations.js").Annotations, editor: import("./aoi/editor.js").Editor, heat: import("./heat.js").Heat,
 *   screen: import("./screen.js").Screen, redraw: () => void}} parts
 * @param {(keys: import("./keys.js").Key[]) => void} wire
 */
export function wireShortcuts({ head, view, transport, annotations, editor, heat, screen, redraw }, wire) {
  const gaze = toggle("gaze-toggle", () => screen.showGaze = !screen.showGaze, redraw);
  const areas = toggle("areas-toggle", () => editor.visible = !editor.visible, redraw);
  const sound = toggle("sound-toggle", () => screen.sound = !screen.sound, redraw);
  const zoom = (/** @type {number} */ factor) => view.zoom(factor, head.t >= view.from && head.t <= view.until ? head.t : (view.from + view.until) / 2);
  const editing = (/** @type {(event: KeyboardEvent) => void} */ act) => (/** @type {KeyboardEvent} */ event) => {
    if (editor.on) act(event);
  };
  /** @param {string[]} keys @param {string} show @param {string} does @param {(event: KeyboardEvent) => void} act */
  const key = (keys, show, does, act) => ({ keys, show, does, act });
  const tools = /** @type {const} */ (["select", "rect", "ellipse", "polygon"]);
  wire([
    key([" "], "Space", "Play, pause", () => head.play()),
    key(["ArrowLeft", ","], "← ,", "One displayed frame back", () => transport.step(-1)),
    key(["ArrowRight", "."], "→ .", "One displayed frame on", () => transport.step(1)),
    key(["Shift+ArrowLeft"], "", "", () => transport.go(head.t - secondMs)),
    key(["Shift+ArrowRight"], "Shift+←→", "One second", () => transport.go(head.t + secondMs)),
    key(["Alt+ArrowLeft"], "", "", () => transport.stepCamera(-1)),
    key(["Alt+ArrowRight"], "Alt+←→", "One frame of the camera", () => transport.stepCamera(1)),
    key(["n"], "", "", () => transport.jump(1)),
    key(["p"], "N P", "Next, previous clip or mark", () => transport.jump(-1)),
    key(["Home"], "", "", () => transport.go(0)),
    key(["End"], "Home End", "Beginning, end", () => transport.go(head.duration)),
    key(["["], "", "", () => head.pace(-1)),
    key(["]"], "[ ]", "Slower, faster", () => head.pace(1)),
    key(["i"], "", "", () => head.mark("from")),
    key(["o"], "I O", "Selection begins, ends here", () => head.mark("until")),
    key(["l"], "L", "Loop the selection, or the clip", () => transport.loop()),
    key(["Escape"], "Esc", "No selection", () => head.select(null)),
    key(["+", "="], "", "", () => zoom(closer)),
    key(["-"], "+ −", "Closer, farther", () => zoom(1 / closer)),
    key(["z"], "Z", "Zoom to the selection, or the clip", () => transport.zoomSelection()),
    key(["w"], "W", "Whole session", () => view.all()),
    key(["a"], "A", "Annotate", () => annotations.open()),
    key(["g"], "G", "Gaze on, off", gaze),
    key(["v"], "V", "Areas on, off", areas),
    key(["h"], "H", "Heat map on, off", () => heat.toggle()),
    key(["m"], "M", "Sound on, off", sound),
    key(["e"], "E", "Edit areas of interest", () => editor.toggle()),
    ...tools.map((tool, i) => key([String(i + 1)], i === 0 ? "1 2 3 4" : "", "Choose, rectangle, ellipse, polygon; Enter draws one", editing(() => editor.choose(tool)))),
    key(["k"], "K", "Keyframe of this frame", editing(() => editor.list.keyframe())),
    key(["Delete"], "Delete", "Delete the area", editing(() => editor.list.remove())),
    key(["Ctrl+d"], "Ctrl+D", "Copy the area", editing(() => editor.list.copy())),
    key(["Ctrl+z"], "Ctrl+Z", "Undo; with Shift redo", editing((event) => (event.shiftKey ? editor.redo() : editor.undo()))),
    key(["Ctrl+y"], "", "", editing(() => editor.redo())),
    key(["Ctrl+s"], "Ctrl+S", "Save the areas", editing(() => editor.ask())),
    key(["t"], "T", "Light or dark", () => {}), // theme.js listens itself
    key(["?"], "?", "This list", () => byId("help").click()),
  ]);
}

/** A button that is pressed or not. @param {string} id @param {() => boolean} flip @param {() => void} redraw @returns {() => void} */
function toggle(id, flip, redraw) {
  const button = byId(id);
  const act = () => {
    button.setAttribute("aria-pressed", String(flip()));
    redraw();
  };
  button.onclick = act;
  return act;
}
