// Small helpers for the page's elements.

/** The element with this id; the page is broken without it. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no element #${id}`);
  return e;
}

/** Sets text only when it differs, so that a screen reader and the layout are left alone.
 * @param {Element} e @param {string} text */
export function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

/** Says something to whoever does not see the page: a screen reader reads it once. What
 * counts seconds is no part of it. @param {string} text */
export function tell(text) {
  setText(byId("told"), text);
}

/** @param {string} tag @param {string} [className] @param {...(Node|string)} children @returns {HTMLElement} */
export function make(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

/** @param {"ok"|"minor"|"major"|"off"|"rec"|"busy"|"idle"|"down"} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Points an icon that is in the page already at another symbol. @param {Element} within @param {string} name */
export function setIcon(within, name) {
  const use = within.querySelector("use");
  if (use && use.getAttribute("href") !== `#i-${name}`) use.setAttribute("href", `#i-${name}`);
}
