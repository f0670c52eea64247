// Start and stop: the dialogs, the keys, and the requests behind them.

import { byId, icon, make, setText } from "./dom.js";
import { present, runs, waits } from "./phase.js";
import { clock, standing, started } from "./words.js";

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Known} Known */

/** How long X or the button is held to stop: longer than any slip of a hand. */
const holdMs = 1000;
const codePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

/** What the server refused. */
export class Refusal extends Error {
  /** @param {string} text @param {Known|undefined} known what there is of a participant's code */
  constructor(text, known) {
    super(text);
    this.known = known;
  }
}

/** @param {string} command @param {object} body @returns {Promise<any>} the server's answer
 * @throws {Refusal} in the server's words */
export function post(command, body) {
  return send(`/api/session/${command}`, body);
}

/** @param {string} path @param {object} body @returns {Promise<any>} the server's answer
 * @throws {Refusal} in the server's words */
export async function send(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refusal(answer.error ?? `the server answered ${response.status}`, answer.known);
}

export class Commands {
  /** @param {(text: string) => void} complain @param {() => Summary[]} sessions */
  constructor(complain, sessions) {
    this.complain = complain;
    this.sessions = sessions;
    /** @type {Status|undefined} */
    this.status = undefined;
    this.startDialog = /** @type {HTMLDialogElement} */ (byId("start-dialog"));
    this.stopDialog = /** @type {HTMLDialogElement} */ (byId("stop-dialog"));
    this.helpDialog = /** @type {HTMLDialogElement} */ (byId("help-dialog"));
    this.code = /** @type {HTMLInputElement} */ (byId("code"));
    this.go = /** @type {HTMLButtonElement} */ (byId("start-go"));
    this.starting = false;
    /** @type {Known|undefined} the server asks whether it is the same person */
    this.asked = undefined;
    this.known = false; // whether the state of the lab is known at present
    this.checked = "";
    this.holding = 0;
    this.held = false; // the button was held to the end; the click that follows means nothing
    this.wire();
  }

  wire() {
    byId("start").onclick = () => this.openStart();
    byId("begin").onclick = () => this.begin();
    byId("known-new").onclick = () => this.start("new");
    byId("known-continue").onclick = () => this.start("continue");
    byId("known-other").onclick = () => this.openStart();
    byId("help").onclick = () => this.helpDialog.showModal();
    this.code.oninput = () => {
      this.ask(undefined);
      this.check();
    };
    for (const dialog of [this.startDialog, this.stopDialog]) {
      dialog.querySelector(`button[value="cancel"]`)?.addEventListener("click", () => dialog.close());
    }
    this.startDialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.asked) this.start(""); // else one of the buttons says what is meant
    });
    this.stopDialog.querySelector("form")?.addEventListener("submit", () => {
      this.stop(/** @type {HTMLInputElement} */ (byId("reason")).value);
    });

    const stop = byId("stop");
    stop.onpointerdown = (event) => {
      this.held = false;
      if (event.button === 0) this.hold(true);
    };
    for (const name of /** @type {const} */ (["pointerup", "pointerleave", "pointercancel"])) {
      stop.addEventListener(name, () => this.release());
    }
    stop.onclick = () => {
      if (!this.held) this.openStop(); // a short press asks first
      this.held = false;
    };
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("keyup", (event) => {
      if (event.key.toLowerCase() === "x") this.release();
    });
    addEventListener("blur", () => this.release());
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const typing = event.target instanceof HTMLInputElement;
    const open = document.querySelector("dialog[open]");
    if (typing || open || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const running = this.known && runs(this.status);
    switch (event.key.toLowerCase()) {
      case "s":
        if (running && event.shiftKey) this.openStop();
        if (!running && !event.shiftKey) this.openStart();
        break;
      case "b":
        if (this.known && waits(this.status)) this.begin();
        break;
      case "x":
        if (running) this.hold();
        break;
      case "?":
        this.helpDialog.showModal();
        break;
      default:
        return;
    }
    event.preventDefault(); // or the S would stand in the field that opens
  }

  /** @param {Status} status */
  update(status) {
    this.status = status;
    this.enable(true);
    if (this.startDialog.open) {
      if (runs(status)) this.startDialog.close();
      else this.check();
    }
    if (!runs(status)) {
      this.release();
      if (this.stopDialog.open) this.stopDialog.close();
    }
    if (this.stopDialog.open) this.describeStop();
  }

  /** The line to the server is dead: no command would arrive. */
  down() {
    this.enable(false);
    this.release();
    if (this.stopDialog.open) this.stopDialog.close();
    this.check();
  }

  /** @param {boolean} known */
  enable(known) {
    this.known = known;
    for (const id of ["start", "begin", "stop"]) byId(id).toggleAttribute("disabled", !known);
  }

  openStart() {
    if (!this.known || !this.status || runs(this.status) || this.status.busy) return;
    this.code.value = "";
    this.refuse("");
    this.ask(undefined);
    this.check();
    if (!this.startDialog.open) this.startDialog.showModal();
    this.code.focus();
  }

  /** Says what is missing; only what makes a session impossible holds it up. */
  check() {
    const s = this.status;
    if (!s) return;
    /** @type {["ok"|"minor"|"major", string, string][]} */
    const checks = this.known ? [] : [["major", "No connection to the lab", ""]];
    const code = this.code.value.trim();
    const fits = codePattern.test(code);
    if (code && !fits) checks.push(["major", "This code cannot be used", "Letters, digits, - and _ only, beginning with a letter or a digit."]);
    const before = this.asked ? [] : this.sessions().filter((x) => alike(x.participant, code));
    if (before.length) checks.push(["minor", `${before[0].participant} has been here before`, "You will be asked what is meant."]);
    if (!s.stage_connected) checks.push(["major", "The participant’s screen is not open", "Open the participant’s address that Emolab printed at its start, on that screen."]);
    const full = (s.alarms ?? []).find((a) => a.id === "disk/full");
    for (const a of s.alarms ?? []) {
      if (a.id === "stimulus/disconnected" && !s.stage_connected) continue; // said above
      checks.push([a.severity === "major" ? "major" : "minor", a.text, a.advice]);
    }
    const connected = (s.streams ?? []).filter((h) => h.info.kind !== "trace");
    const up = connected.filter((h) => h.connected).length;
    if (checks.every(([state]) => state === "ok")) checks.push(["ok", `All ${up} streams are connected`, ""]);

    const key = JSON.stringify(checks);
    if (key !== this.checked) {
      this.checked = key;
      byId("checks").replaceChildren(...checks.map(([state, text, advice]) =>
        make("li", state, icon(state), make("span", "text", text), make("span", "advice", advice))));
    }
    const blocked = !this.known || !s.stage_connected || full !== undefined;
    this.go.disabled = this.starting || !fits || blocked;
    this.go.hidden = this.asked !== undefined;
    for (const id of ["known-new", "known-continue"]) byId(id).toggleAttribute("disabled", this.go.disabled);
    setText(this.go, this.starting ? "Starting" : !blocked && checks.some(([state]) => state === "major") && fits ? "Start all the same" : "Start");
  }

  /** Asks what is meant by a code that was used before. @param {Known|undefined} known */
  ask(known) {
    this.asked = known;
    byId("known").hidden = !known;
    if (!known) return;
    const cut = known.sessions.find((s) => s.id === known.cut);
    setText(byId("known-what"), `${known.participant} has been here before: ` + known.sessions.map((s) =>
      `${started(s.started)}, ${standing(s)}`).join("; ") + ". Is it the same person?");
    byId("known-continue").hidden = !cut;
  }

  /** @param {""|"new"|"continue"} again what a code that was used before means */
  async start(again) {
    if (this.go.disabled) return;
    this.starting = true;
    this.refuse("");
    this.check();
    try {
      await post("start", { participant: this.code.value.trim(), again });
      this.startDialog.close();
    } catch (error) {
      const known = error instanceof Refusal ? error.known : undefined;
      if (known) this.ask(known);
      else this.refuse(reason(error));
    } finally {
      this.starting = false;
      this.check();
    }
    if (this.asked) byId(this.asked.cut ? "known-continue" : "known-other").focus() // a second Enter begins nothing;
  }

  /** @param {string} text */
  refuse(text) {
    const e = byId("start-error");
    e.hidden = text === "";
    setText(e, text && `Not started: ${text}`);
  }

  /** Begins the recording of the participant who waits. */
  async begin() {
    try {
      await post("begin", {});
    } catch (error) {
      this.complain(`Not begun: ${reason(error)}`);
    }
  }

  openStop() {
    if (!this.known || this.stopDialog.open || !runs(this.status)) return;
    /** @type {HTMLInputElement} */ (byId("reason")).value = "";
    this.describeStop();
    this.stopDialog.showModal();
  }

  describeStop() {
    const s = this.status;
    if (!s) return;
    const reads = s.state === "prepared";
    if (s.stopped) {
      setText(byId("stop-keep"), "Let them read");
      setText(byId("stop-go"), "Close the pages");
      setText(byId("stop-what"), `Stopped. ${s.participant} is on the last pages, with the code by which they may withdraw. Stop again closes them.`);
      return;
    }
    setText(byId("stop-keep"), reads ? "Go on" : "Keep recording");
    setText(byId("stop-go"), reads ? "Stop" : "Stop and seal");
    if (reads) {
      setText(byId("stop-what"), `Nothing has been recorded of ${s.participant} yet, and nothing will be. Who has agreed already is shown the code by which they may withdraw.`);
      return;
    }
    if (s.recording_over) {
      const gone = present(s)?.sheet === "withdrawn";
      setText(byId("stop-keep"), "Go on");
      setText(byId("stop-go"), gone ? "Stop" : "Stop and seal");
      setText(byId("stop-what"), gone
        ? `Everything of ${s.participant} is erased, and they are reading that.`
        : `The recording of ${s.participant} has ended after ${clock(s.elapsed_ms)}. They are on the last pages, with the code by which they may withdraw.`);
      return;
    }
    const left = (s.plan.steps ?? []).slice(s.step + 1).filter((p) => p.action === "play").length;
    const rest = left === 0 ? "No clip is left to show." : `${left} ${left === 1 ? "clip is" : "clips are"} still to be shown.`;
    setText(byId("stop-what"), `${s.participant} has been recorded for ${clock(s.elapsed_ms)}. ${rest} The recording ends at once and cannot be continued. Who has agreed is led to the last pages, which ask what becomes of it and give the code; then it is sealed.`);
  }

  /** @param {string} why */
  async stop(why) {
    try {
      await post("stop", { reason: why.trim() });
    } catch (error) {
      this.complain(`Not stopped: ${reason(error)}`);
    }
  }

  /** @param {boolean} [byButton] */
  hold(byButton = false) {
    if (this.holding) return;
    byId("stop").classList.add("holding");
    this.holding = window.setTimeout(() => {
      this.release();
      this.held = byButton;
      if (!this.stopDialog.open) this.stop("");
    }, holdMs);
  }

  release() {
    clearTimeout(this.holding);
    this.holding = 0;
    byId("stop").classList.remove("holding");
  }
}

/** Whether two participants' codes are one to whoever reads or types them, as the server
 * has it. @param {string} a @param {string} b */
function alike(a, b) {
  const plain = (/** @type {string} */ s) => s.toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
  return plain(a) === plain(b);
}

/** @param {unknown} error */
export function reason(error) {
  if (error instanceof TypeError) return "the server does not answer.";
  return error instanceof Error ? error.message : String(error);
}
