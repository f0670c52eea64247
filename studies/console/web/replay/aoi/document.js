// The areas of one clip while they are edited: what was saved, what was changed since,
// the way back, and a copy in this tab that outlives a reload.

/** @typedef {import("../types.js").Area} Area */
/** @typedef {import("../types.js").AreaSet} AreaSet */

/** Steps that can be undone. */
const deepest = 200;

/** @param {string} stimulus */
const key = (stimulus) => `emolab-areas ${stimulus}`;

export class AreaDocument {
  /** @param {AreaSet} set as the server has it */
  constructor(set) {
    this.stimulus = set.stimulus;
    this.base = set.version;
    this.history = set.history ?? [];
    this.saved = JSON.stringify(set.aois ?? []);
    /** @type {Area[]} */
    this.areas = set.aois ?? [];
    /** @type {Area[][]} */
    this.past = [];
    /** @type {Area[][]} */
    this.future = [];
    this.gesture = "";
    this.selected = -1;
    this.revived = this.revive();
  }

  get dirty() {
    return JSON.stringify(this.areas) !== this.saved;
  }

  /** @returns {Area|undefined} */
  get area() {
    return this.areas[this.selected];
  }

  /** Takes over what a reload would have lost. @returns {boolean} whether there was something */
  revive() {
    const kept = sessionStorage.getItem(key(this.stimulus));
    if (!kept) return false;
    try {
      const { base, areas } = JSON.parse(kept);
      if (!Array.isArray(areas) || typeof base !== "number") return false;
      this.areas = areas;
      this.base = base;
    } catch {
      sessionStorage.removeItem(key(this.stimulus)); // of another version of this page
      return false;
    }
    return this.dirty;
  }

  /** @param {Area[]} areas @param {string} [gesture] changes of one gesture are undone in one step */
  change(areas, gesture = "") {
    if (!gesture || gesture !== this.gesture) {
      this.past.push(this.areas);
      if (this.past.length > deepest) this.past.shift();
    }
    this.gesture = gesture;
    this.future = [];
    this.areas = areas;
    this.keep();
  }

  /** Changes the selected area. @param {Area} area @param {string} [gesture] */
  replace(area, gesture) {
    if (this.selected >= 0) this.change(this.areas.map((a, i) => (i === this.selected ? area : a)), gesture);
  }

  /** @param {Area} area */
  add(area) {
    this.change([...this.areas, area]);
    this.selected = this.areas.length - 1;
  }

  remove() {
    if (this.selected < 0) return;
    this.change(this.areas.filter((_, i) => i !== this.selected));
    this.selected = Math.min(this.selected, this.areas.length - 1);
  }

  undo() {
    this.swap(this.past, this.future);
  }

  redo() {
    this.swap(this.future, this.past);
  }

  /** @param {Area[][]} from @param {Area[][]} to */
  swap(from, to) {
    const areas = from.pop();
    if (!areas) return;
    to.push(this.areas);
    this.areas = areas;
    this.gesture = "";
    this.selected = Math.min(this.selected, areas.length - 1);
    this.keep();
  }

  keep() {
    if (this.dirty) sessionStorage.setItem(key(this.stimulus), JSON.stringify({ base: this.base, areas: this.areas }));
    else sessionStorage.removeItem(key(this.stimulus));
  }

  /** Stands on what the server has now; the changes go, or stay as changes of it. @param {AreaSet} set @param {"theirs"|"mine"} whose */
  rebase(set, whose) {
    this.base = set.version;
    this.history = set.history ?? [];
    this.saved = JSON.stringify(set.aois ?? []);
    if (whose === "theirs" && this.dirty) {
      this.change(set.aois ?? []);
      this.selected = Math.min(this.selected, this.areas.length - 1);
    }
    this.keep();
  }
}

/** What differs between two sets, in words. @param {Area[]} mine @param {Area[]} theirs */
export function difference(mine, theirs) {
  const of = (/** @type {Area[]} */ list) => new Map(list.map((a) => [a.name, JSON.stringify(a)]));
  const [a, b] = [of(mine), of(theirs)];
  const names = (/** @type {string[]} */ list) => list.map((n) => `“${n}”`).join(", ");
  const parts = /** @type {[string, string[]][]} */ ([
    ["only with you", [...a.keys()].filter((n) => !b.has(n))],
    ["only in the saved version", [...b.keys()].filter((n) => !a.has(n))],
    ["different", [...a.keys()].filter((n) => b.has(n) && a.get(n) !== b.get(n))],
  ]);
  return parts.filter(([, list]) => list.length > 0).map(([what, list]) => `${what}: ${names(list)}`).join("; ") || "both are the same";
}
