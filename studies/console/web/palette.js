// The colours that the canvases draw with, read from the style sheet so that
// the theme is decided in one place.

/** @typedef {Record<string, string>} Palette */

const names = ["ink", "muted", "faint", "line", "panel", "band", "invalid", "accent",
  "c-neutral", "c-happy", "c-sad", "c-angry", "c-fearful", "c-disgusted", "c-surprised"];

/** @returns {Palette} */
export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  /** @type {Palette} */
  const palette = {};
  for (const n of names) palette[n] = style.getPropertyValue(`--${n}`).trim();
  return palette;
}
