// Numbers and names as a person reads them.

/** The minus that lines up with the digits, and none before a zero. @param {string} s */
const minus = (s) => (/^-[0.]*$/.test(s) ? s.slice(1) : s.replace("-", "−"));

/** @param {number} v @param {number} digits */
export function number(v, digits) {
  return Number.isFinite(v) ? minus(v.toFixed(digits)) : "–";
}

/** @param {number} v */
export function signed(v, digits = 2) {
  if (!Number.isFinite(v)) return "–";
  const n = number(v, digits);
  return (v > 0 && /[1-9]/.test(n) ? "+" : "") + n;
}

const thousands = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} v */
export function count(v) {
  return Number.isFinite(v) ? minus(thousands.format(v)) : "–";
}

/** 00:07:41. @param {number} ms */
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** 0:07, for a length or a position. @param {number} ms */
export function short(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** @param {number} hours -1 = unknown */
export function disk(hours) {
  if (!(hours >= 0)) return "–";
  if (hours >= 1000) return "> 999 h";
  return hours >= 10 ? `${Math.floor(hours)} h` : `${number(hours, 1)} h`;
}

/** What the experimenter calls the devices, by kind of stream. */
const deviceNames = /** @type {Record<string, string>} */ ({
  eda: "Skin conductance",
  gaze: "Eye tracker",
  face: "Camera and face",
  stimulus: "Participant’s screen",
  light: "Photodiode",
  trigger: "Triggers",
  trace: "Joined trace",
});

/**
 * What a device is called among all: by its kind, and by its id where there are
 * two of a kind.
 * @param {{ kind: string, id: string }} info
 * @param {{ kind: string }[]} all
 */
export function deviceName(info, all) {
  const name = deviceNames[info.kind];
  if (!name) return info.id;
  return all.filter((other) => other.kind === info.kind).length > 1 ? `${name} ${info.id}` : name;
}

/** File name at the end of a path. @param {string} path */
export function baseName(path) {
  return path.split(/[\\/]/).pop() ?? path;
}

/** Why nothing was recorded, by what the reason begins with. @type {[string, string][]} */
const turned = [["screening", "screened out"], ["quota", "quota full"], ["consent", "did not agree"], ["left", "left before the recording"],
  ["stopped", "stopped before the recording"], ["cut off", "cut off before the recording"]];

/** Where a session stands, in words. @param {import("./types.js").Summary} s */
export function standing(s) {
  if (s.state === "declined") return turned.find(([begin]) => s.reason?.startsWith(begin))?.[1] ?? "not recorded";
  if (erasing(s)) return "to be erased";
  return s.state === "recovered" ? "cut off" : s.state;
}

/** Whether a session's participant has taken everything back, and it is about to go.
 * @param {import("./types.js").Summary} s */
export function erasing(s) {
  return s.reason === "withdrawn by the participant";
}

/** When a session began, by this computer's clock. @param {string} iso */
export function started(iso) {
  const d = new Date(iso);
  const time = d.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  const now = new Date();
  if (d.toDateString() === now.toDateString()) return time;
  return `${d.getFullYear() === now.getFullYear() ? d.toLocaleDateString([], { day: "numeric", month: "short" }) : date(iso)}, ${time}`;
}

/** A date that nobody takes for another: its month is a word. @param {string} iso */
export function date(iso) {
  return new Date(iso).toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
}

/** What was erased, in words. @param {import("./types.js").Erasure|null|undefined} e */
export function erased(e) {
  if (!e) return "Everything of them is erased.";
  const tell = e.recipients?.length ? ` To be told, because they were given a bundle: ${e.recipients.join(", ")}.` : "";
  return `Everything of them is erased: ${count(e.rows)} rows, ${count(e.files)} files.${tell}`;
}

/** What a console is called by the name of its token; the one that Emolab prints at its start
 * is called lab. @param {string|undefined} name */
export function consoleOf(name) {
  return !name ? "another console" : name === "lab" ? "the lab’s own console" : name;
}
