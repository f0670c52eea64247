// Light, dark, or as the system says; remembered on this computer.

import { byId, setText } from "./dom.js";

const key = "emolab-theme";
const order = ["auto", "light", "dark"];
const words = { auto: "as the system", light: "light", dark: "dark" };

/** @param {() => void} changed */
export function wireTheme(changed) {
  const button = byId("theme");
  let theme = localStorage.getItem(key) ?? "auto";
  if (!order.includes(theme)) theme = "auto";

  const apply = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const name = theme[0].toUpperCase() + theme.slice(1);
    setText(button, name);
    button.setAttribute("aria-label", `${name}: theme ${words[/** @type {"auto"|"light"|"dark"} */ (theme)]}`);
    changed();
  };
  const next = () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    localStorage.setItem(key, theme);
    apply();
  };
  button.onclick = next;
  addEventListener("keydown", (event) => {
    const busy = event.target instanceof HTMLInputElement || document.querySelector("dialog[open]");
    if (event.key.toLowerCase() === "t" && !busy && !event.ctrlKey && !event.metaKey && !event.altKey) next();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}
