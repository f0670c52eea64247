// The calibration that runs, what came of it, and the question about one that was
// refused. The picture is drawn from the numbers of the status.

import { post, reason } from "../api.js";
import { byId, make, setIcon, setText } from "../dom.js";
import { runs } from "../phase.js";
import { number, signed } from "../words.js";

/** @typedef {import("../types.js").Check} Check */
/** @typedef {import("../types.js").Drift} Drift */
/** @typedef {import("../types.js").Status} Status */
/** @typedef {import("../types.js").Validation} Validation */

/** Width of the picture's own units; its height follows the screen's shape. */
const wide = 320;
/** A point that is so many times further off than all on average stands out. */
const far = 1.8;

const titles = { calibrate: "Gaze calibration", validate: "Gaze validation", breath: "Deep breath" };
const icons = /** @type {const} */ ({ good: "ok", fair: "minor", refused: "major" });
const verdicts = { good: "good", fair: "usable, with a reservation", refused: "refused" };

/** @param {HTMLElement} _ @param {import("../lab.js").Lab} lab @returns {import("../lab.js").Panel} */
export function mount(_, lab) {
  const calibration = new Calibration(lab);
  const { keys } = lab;
  const offs = [
    keys.on("v", () => !byId("calibration-show").hidden && (calibration.pin(), true)),
    keys.on("c", () => calibration.asked && lab.permits() && (calibration.decide("redo"), true)),
    keys.on("r", () => calibration.asked && (calibration.why.focus(), true)),
  ];
  return {
    update: (report) => calibration.update(report.status),
    down: () => calibration.down(),
    unmount() {
      for (const off of offs) off();
      calibration.ask(false);
    },
  };
}

class Calibration {
  /** @param {import("../lab.js").Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.panel = byId("calibration");
    this.form = byId("calibration-form");
    this.why = /** @type {HTMLInputElement} */ (byId("calibration-reason"));
    this.asked = false;
    this.askedFor = ""; // which calibration it was asked about
    this.deciding = false; // a decision is on its way, or has been taken
    this.drawn = ""; // what the picture shows
    this.fresh = false; // the result is of the step on the screen, or of the one before
    this.pinned = false; // the picture is wanted although it is not fresh, or the reverse
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    for (const choice of /** @type {const} */ (["redo", "accept", "continue"])) {
      const button = /** @type {HTMLButtonElement} */ (byId(`calibration-${choice}`));
      button.onclick = () => this.decide(choice);
      this.buttons.push(button);
    }
    byId("calibration-show").onclick = () => this.pin();
    this.form.addEventListener("submit", (event) => event.preventDefault()); // Enter alone chooses nothing
  }

  /** @param {Status} status */
  update(status) {
    const check = runs(status) ? status.check : null;
    this.panel.hidden = !check;
    if (!check) byId("calibration-picture").toggleAttribute("hidden", true);
    const asked = Boolean(check && status.asked);
    const about = asked && check ? `${status.session_id} ${check.step} ${check.round}` : "";
    if (about !== this.askedFor) { // a line that was dead in between is no new question
      this.askedFor = about;
      this.deciding = false;
      this.why.value = "";
      this.complain("");
    }
    this.ask(asked);
    if (!check) return;
    byId("calibration-accept").hidden = !check.judged?.calibration && !check.judged?.tracker; // nothing to use
    const level = check.judged?.verdict.level ?? check.readiness?.level;
    this.panel.classList.toggle("asked", asked);
    this.panel.classList.toggle("under-way", check.phase !== "done");
    this.panel.classList.toggle("fair", level === "fair");
    this.panel.classList.toggle("refused", level === "refused");
    const round = check.round > 0 ? `, round ${check.round + 1}` : "";
    setText(byId("calibration-title"), titles[check.action] + round + (check.own ? " (by the tracker itself)" : ""));
    setText(byId("calibration-state"), stateOf(check));
    setIcon(this.panel, level ? icons[level] : "idle");
    this.reasons(check);
    this.picture(check.judged?.validation);
    this.numbers(check);
    const fresh = asked || status.step <= check.step + 1;
    if (fresh !== this.fresh) [this.fresh, this.pinned] = [fresh, false];
    this.reveal();
    this.drift(status.drift, status.screen_assumed);
  }

  /** Shows the picture, or the participant's screen again. */
  pin() {
    this.pinned = !this.pinned;
    this.reveal();
  }

  /** The picture lies over the participant's screen: by itself while its result is fresh. */
  reveal() {
    const shown = this.drawn !== "" && this.fresh !== this.pinned;
    byId("calibration-picture").toggleAttribute("hidden", !shown);
    byId("calibration-numbers").hidden = this.fresh === this.pinned;
    const button = byId("calibration-show");
    button.hidden = this.drawn === "";
    button.setAttribute("aria-pressed", String(shown));
  }

  /** The line to the server is dead: no answer would arrive. What was written stays. */
  down() {
    this.deciding = false;
    this.ask(this.asked);
  }

  /** @param {boolean} asked */
  ask(asked) {
    this.asked = asked;
    this.form.hidden = !asked;
    for (const b of this.buttons) this.lab.allow(b, !this.deciding);
  }

  /** @param {"accept"|"redo"|"continue"} choice */
  async decide(choice) {
    const why = this.why.value.trim();
    if (choice !== "redo" && !why) {
      this.complain("Say why, in a few words: the reason is kept with the recording.");
      this.why.focus();
      return;
    }
    if (this.deciding) return;
    this.deciding = true; // until it is asked again
    this.complain("");
    this.ask(this.asked);
    try {
      await post("calibration", { choice, reason: why });
    } catch (error) {
      this.complain(`Not decided: ${reason(error)}`);
      this.deciding = false;
      this.ask(this.asked);
    }
  }

  /** @param {string} text */
  complain(text) {
    const e = byId("calibration-error");
    e.hidden = text === "";
    setText(e, text);
  }

  /** @param {Check} check */
  reasons(check) {
    const all = check.judged?.verdict.reasons ?? check.readiness?.reasons ?? (check.weak ? [`Shown again: ${check.weak}.`] : []);
    const list = byId("calibration-reasons");
    if (JSON.stringify(all) === list.dataset.all) return;
    list.dataset.all = JSON.stringify(all);
    list.replaceChildren(...all.map((text) => make("li", "", text)));
  }

  /** @param {Check} check */
  numbers(check) {
    /** @type {[string, string][]} */
    const rows = [];
    const v = check.judged?.validation;
    if (v && v.mean_deg !== null) {
      rows.push(["mean error", degrees(v.mean_deg)], ["worst point", degrees(v.max_deg)]);
      rows.push(["precision, SD", degrees(v.sd_deg)], ["sample to sample", degrees(v.rms_s2s_deg)], ["missing", `${number(100 * v.loss, 0)} %`]);
    }
    if (check.judged?.shift_deg !== undefined) rows.push(["moved since", degrees(check.judged.shift_deg)]);
    const c = check.judged?.calibration;
    if (c) rows.push(["fitted with", c.model], ["at points left out", degrees(c.cross_validated_deg)]);
    const r = check.readiness;
    if (r) {
      rows.push(["level", r.level_us === null ? "–" : `${number(r.level_us, 2)} µS`]);
      if (r.slope_us_per_min !== null) rows.push(["slope", `${signed(r.slope_us_per_min, 1)} µS/min`]);
      rows.push(["response", r.breath ? `${number(r.breath.amplitude_us, 2)} µS after ${number(r.breath.latency_s, 1)} s` : "none"]);
    }
    const list = byId("calibration-numbers");
    if (JSON.stringify(rows) === list.dataset.rows) return;
    list.dataset.rows = JSON.stringify(rows);
    list.replaceChildren(...rows.map(([name, value]) => make("div", "row", make("dt", "", name), make("dd", "", value))));
  }

  /** @param {Drift|null} drift @param {boolean} assumed */
  drift(drift, assumed) {
    const crosses = drift?.crosses ?? [];
    const last = crosses.at(-1);
    let text = last ? `At the latest of ${crosses.length} ${crosses.length === 1 ? "cross" : "crosses"}: off by ${degrees(last.error_deg)}` : "";
    if (drift?.trend) text += `, moving by ${degrees(drift.trend.deg_per_min)} a minute`;
    if (text) text += ". It is not corrected.";
    if (assumed) text += `${text ? " " : ""}The screen’s size is assumed: write it into lab.yaml.`;
    byId("drift").hidden = text === "";
    setText(byId("drift"), text);
  }

  /** Targets, where the gaze lay, and by how much it missed. @param {Validation|undefined} v */
  picture(v) {
    const drawable = v && ((v.points ?? []).length > 0 || (v.missed ?? []).length > 0);
    const key = drawable ? JSON.stringify(v) : "";
    if (key === this.drawn) return;
    this.drawn = key;
    if (!v || !drawable) return;
    const svg = byId("calibration-picture");
    const high = (wide * v.screen.height_mm) / v.screen.width_mm;
    svg.setAttribute("viewBox", `0 0 ${wide} ${high.toFixed(1)}`);
    svg.setAttribute("aria-label", describe(v));
    const at = (/** @type {{x: number, y: number}} */ p) => [p.x * wide, p.y * high];
    const groups = (v.points ?? []).map((p) => {
      const [tx, ty] = at(p.target);
      const [gx, gy] = at(p.gaze);
      const seen = (p.samples ?? []).map((s) => {
        const [cx, cy] = at(s);
        return draw("circle", { class: "seen", cx, cy, r: 1.2 });
      });
      const words = draw("text", { x: Math.min(Math.max(tx, 18), wide - 18), y: ty + (ty > high - 24 ? -11 : 19), "text-anchor": "middle", "font-size": 11 });
      words.textContent = degrees(p.error_deg);
      const g = draw("g", p.error_deg > far * (v.mean_deg ?? Infinity) ? { class: "far" } : {});
      g.append(...seen, draw("circle", { class: "target", cx: tx, cy: ty, r: 6 }), draw("line", { class: "miss", x1: tx, y1: ty, x2: gx, y2: gy }),
        draw("circle", { class: "mean", cx: gx, cy: gy, r: 2.2 }), words);
      return g;
    });
    const lost = (v.missed ?? []).map((m) => {
      const [x, y] = at(m.target);
      return draw("path", { class: "lost", d: `M${x - 5} ${y - 5}l10 10M${x - 5} ${y + 5}l10 -10` });
    });
    svg.replaceChildren(...groups, ...lost);
  }
}

/** @param {string} tag @param {Record<string, string|number>} attributes @returns {SVGElement} */
function draw(tag, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, typeof value === "number" ? value.toFixed(1) : value);
  return e;
}

/** @param {number|null} v */
const degrees = (v) => (v === null ? "–" : `${number(v, 2)}°`);

/** The picture in words. @param {Validation} v */
function describe(v) {
  const points = (v.points ?? []).map((p) => `${number(100 * p.target.x, 0)} %, ${number(100 * p.target.y, 0)} %: ${degrees(p.error_deg)}`);
  return `Error of the gaze at ${points.length} points of the screen. ${points.join("; ")}`;
}

/** @param {Check} c */
function stateOf(c) {
  const place = c.targets ? ` ${Math.min(c.shown + 1, c.targets)} of ${c.targets}` : "";
  switch (c.phase) {
    case "preparing":
      return "The participant reads what to do.";
    case "calibrating":
      return `Calibrating: target${place}`;
    case "validating":
      return `Validating on other points: target${place}`;
    case "breathing":
      return "The participant breathes in deeply; the skin is watched for 10 s.";
    case "deciding":
      return "Refused. The participant waits for your decision.";
  }
  const level = c.judged?.verdict.level ?? c.readiness?.level;
  const d = c.decision;
  if (!level) return `Passed over: ${d?.reason ?? ""}`;
  const mean = c.judged?.validation?.mean_deg;
  const result = (mean === undefined || mean === null ? "" : `${degrees(mean)}: `) + verdicts[level];
  if (c.action !== "calibrate" || !d || d.how === "by its limits") return result;
  const done = { accept: "used all the same", redo: "to be made again", continue: "done without" }[d.choice];
  return `${result}; ${done}: ${d.reason ?? ""}`;
}
