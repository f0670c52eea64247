// A link to a session's bundle.

import { icon, make } from "./dom.js";
import { baseName } from "./words.js";

/** @param {string} path */
export function bundleLink(path, text = "bundle") {
  const name = baseName(path);
  const a = make("a", "download", icon("down"), text);
  a.setAttribute("href", `/api/bundles/${encodeURIComponent(name)}`);
  a.setAttribute("download", name);
  return a;
}
