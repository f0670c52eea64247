// The colours that the canvases draw with, read from tokens.css so that the theme is
// decided in one place.

/** @typedef {Record<string, string>} Palette */

const names = ["ink", "muted", "faint", "line", "panel", "band", "invalid", "accent", "minor", "major",
  "c-neutral", "c-happy", "c-sad", "c-angry", "c-fearful", "c-disgusted", "c-surprised"];

/** @returns {Palette} */
export function readPalette() {
  // A property holds both themes; only an element that wears it knows which is in force.
  const probe = document.createElement("i");
  document.documentElement.append(probe);
  const worn = getComputedStyle(probe);
  /** @type {Palette} */
  const palette = {};
  for (const n of names) {
    probe.style.color = `var(--${n})`;
    palette[n] = worn.color;
  }
  probe.remove();
  return palette;
}
