// What a session is doing, and what its steps are called.

/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").Step} Step */

/** A participant is there: reading, waiting to begin, or being recorded. @param {Status|undefined} s */
export function runs(s) {
  return s !== undefined && (s.state === "recording" || s.state === "prepared") && !s.busy;
}

/** The experimenter has to begin the recording. @param {Status|undefined} s */
export function waits(s) {
  return runs(s) && s?.state === "prepared" && s.ready;
}

/** A session that was cut off goes on, and its participant compares the code first: nothing
 * is recorded until then. @param {Status|undefined} s */
export function compares(s) {
  return runs(s) && s?.state === "recording" && !s.live && !s.recording_over;
}

/** The participant is asked whether the code on their screen is theirs: at the very first,
 * and before a session that was cut off goes on. @param {Status|undefined} s */
export function confirms(s) {
  return compares(s) || (runs(s) && s?.state === "prepared" && s.step < 0 && !s.confirmed?.participant);
}

/** Why the server sends nothing of what the sensors deliver; "" while it does. @param {Status} s */
export function unseen(s) {
  if (s.live) return "";
  return (s.state === "prepared" && !s.busy) || compares(s) ? "Nothing of the participant is shown before the recording begins." : "Nothing is shown while nobody is recorded.";
}

/** The step under way; nothing when no session runs. @param {Status|undefined} s @returns {Step|undefined} */
export function present(s) {
  return runs(s) ? s?.plan.steps?.[s.step] : undefined;
}

/** Pages by what their ids begin with. */
const pageNames = /** @type {[string, string][]} */ ([
  ["notice", "notice"], ["consent", "consent"], ["screening", "screening"], ["rate.", "rating"], ["form.", "questions"],
  ["debrief", "debrief"], ["receipt", "receipt"], ["leave", "whether the data may be kept"], ["left", "receipt"],
  ["exit.", "farewell"], ["withdrawn", "confirmation that all is erased"],
]);

/** What a page is called: "consent". @param {string|undefined} sheet its id */
export function pageName(sheet) {
  return pageNames.find(([begin]) => sheet?.startsWith(begin))?.[1] ?? "a page";
}

/** Steps that take as long as they take, in words. */
const ledWords = /** @type {Record<string, string>} */ ({
  calibrate: "Calibration", validate: "Validation", breath: "Deep breath", camera: "Seat and light", begin: "Waits for you",
  neutral: "Face at rest", reshow: "Between blocks",
});

/** A step that is not about a clip, in words; nothing for one that is. @param {Step|undefined} step */
export function stepWords(step) {
  if (step?.action === "fill") return `Reads: ${pageName(step.sheet)}`;
  if (step && !step.stimulus && step.action === "fixation") return "Rests: fixation";
  if (step && !step.stimulus && step.action === "rest") return "Rests";
  return step ? ledWords[step.action] : undefined;
}

/** The steps that are shown: a clip that may be shown again is one only once it was asked
 * for, or has been. @param {Status} s @returns {Step[]} */
export function shown(s) {
  const steps = s.plan.steps ?? [];
  const again = new Set((s.usable ?? []).filter((u) => u.asked).map((u) => u.presentation));
  const been = new Set((s.usable ?? []).filter((u) => u.again).map((u) => u.presentation));
  for (const p of steps) if (p.again && been.has(p.presentation ?? 0)) again.add(p.repeats ?? 0);
  return steps.filter((p) => !p.again || again.has(p.repeats ?? 0));
}
