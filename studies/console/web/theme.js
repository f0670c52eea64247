// Light, dark, or as the system says; remembered on this computer.

import { byId, setText } from "./dom.js";
import { typing } from "./keys.js";

const key = "emolab-theme";
const order = ["auto", "light", "dark"];
const words = { auto: "as the system", light: "light", dark: "dark" };

/** @param {() => void} changed @param {string} [press] the key that changes it */
export function wireTheme(changed, press = "t") {
  const button = byId("theme");
  let theme = localStorage.getItem(key) ?? "auto";
  if (!order.includes(theme)) theme = "auto";

  const apply = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const name = theme[0].toUpperCase() + theme.slice(1);
    setText(button.querySelector("span") ?? button, name);
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
    if (event.key.toLowerCase() === press && !typing(event.target) && !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) next();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}
