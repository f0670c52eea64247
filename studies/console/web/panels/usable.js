// Usable seconds, while the person is still seated: bars for the clip on the screen, and
// the clips that can be shown again.

import { post, reason } from "../api.js";
import { icon, make, setText } from "../dom.js";
import { number } from "../words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../lab.js").Panel} Panel */
/** @typedef {import("../types.js").UsableNow} UsableNow */

const modalities = /** @type {Record<string, string>} */ ({ face: "Face", gaze: "Gaze", eda: "Skin" });
/** A needed modality below this share stands out while its clip runs. */
const littleShare = 0.5;

/** @param {HTMLElement} host @param {Lab} lab @returns {Panel} */
export function mount(host, lab) {
  const title = make("span", "quiet num", "");
  const bars = make("dl", "bars");
  const list = make("ol", "clips");
  const none = make("p", "calm", "");
  const now = make("div", "now", title, bars);
  host.append(none, now, list);
  let drawn = "";

  /** @param {number} presentation */
  async function again(presentation) {
    if (!lab.permits()) return;
    try {
      await post("again", { presentation });
    } catch (error) {
      lab.say(`Not shown again: ${reason(error)}`);
    }
  }
  const latest = () => (lab.status?.usable ?? []).filter((u) => u.offer && !u.asked && u.low).at(-1);
  const off = lab.keys.on("r", () => {
    const low = latest();
    if (!low) return false;
    again(low.presentation);
    return true;
  });

  /** @param {UsableNow} u */
  function row(u) {
    const needed = u.parts.filter((p) => p.needed);
    const least = Math.min(...(needed.length ? needed : u.parts).map((p) => p.share));
    const item = make("li", u.low ? "minor" : "", icon(u.low ? "minor" : "ok"),
      make("span", "name", `${u.stimulus}${u.again ? " (again)" : ""}`),
      make("span", "num", Number.isFinite(least) ? percent(least) : "–"));
    item.title = u.parts.map((p) => `${modalities[p.modality] ?? p.modality} ${percent(p.share)}`).join(", ");
    if (u.asked) item.append(make("span", "tag", "will be shown again"));
    else if (u.offer) {
      const key = u.presentation === latest()?.presentation ? [" ", make("kbd", "", "R")] : [];
      const button = make("button", "small", "Show again", make("span", "visually-hidden", `: ${u.stimulus}, at the end of its block`), ...key);
      button.setAttribute("type", "button");
      button.onclick = () => again(u.presentation);
      lab.allow(button);
      item.append(button);
    }
    return item;
  }

  /** @param {UsableNow|undefined} u */
  function showNow(u) {
    now.hidden = !u;
    if (!u) return;
    setText(title, `${u.over ? "Latest clip" : "This clip"}: ${u.stimulus} · ${number(u.seconds, 0)} s`);
    if (bars.children.length !== u.parts.length) bars.replaceChildren(...u.parts.map(() => make("div", "part", make("dt", ""), make("dd", "bar-box", make("i", "")), make("dd", "num", icon("minor"), make("span", "")))));
    u.parts.forEach((p, i) => {
      const part = /** @type {HTMLElement} */ (bars.children[i]);
      const low = p.needed && p.share < littleShare && u.seconds > 1;
      part.classList.toggle("minor", low);
      setText(part.children[0], modalities[p.modality] ?? p.modality);
      const fill = /** @type {HTMLElement} */ (part.children[1].firstElementChild);
      fill.style.width = `${Math.min(100, 100 * p.share).toFixed(0)}%`;
      part.children[2].children[0].toggleAttribute("hidden", !low);
      setText(part.children[2].children[1], `${percent(p.share)}${low ? " low" : ""} · ${number(p.usable_s, 0)} s${p.needed ? "" : ", not needed"}`);
    });
  }

  return {
    update(report) {
      const all = report.status.usable ?? [];
      const current = all.findLast((u) => !u.over) ?? all.at(-1);
      setText(none, all.length ? "" : report.status.live ? "No clip has been shown yet." : "Counted while a session is recorded.");
      none.hidden = all.length > 0;
      showNow(current);
      const over = all.filter((u) => u.over);
      const key = JSON.stringify([over, lab.barred]);
      if (key === drawn) return;
      drawn = key;
      list.replaceChildren(...over.map(row).reverse());
    },
    down() {
      drawn = "";
      for (const b of list.querySelectorAll("button")) lab.allow(/** @type {HTMLElement} */ (b));
    },
    unmount() {
      off();
      for (const e of [none, now, list]) e.remove();
    },
  };
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(100 * share)} %`;
}
