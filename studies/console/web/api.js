// Questions and commands to the server. A command says which page gives it, so that the
// server knows whether this page holds the pen.

/** @typedef {import("./types.js").Known} Known */
/** @typedef {import("./types.js").NotReady} NotReady */

const keptIn = "emolab-console";

/** The name of this page, as the hello gave it; it outlives a reload, not the tab. */
export function pageId() {
  return sessionStorage.getItem(keptIn) ?? "";
}

/** @param {string} id */
export function namePage(id) {
  sessionStorage.setItem(keptIn, id);
}

/** What the server refused. */
export class Refusal extends Error {
  /** @param {string} text @param {Known} [known] what there is of a participant's code @param {NotReady} [notReady] what is missing */
  constructor(text, known, notReady) {
    super(text);
    this.known = known;
    this.notReady = notReady;
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
    headers: { "Content-Type": "application/json", "X-Emolab-Console": pageId() },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refusal(answer.error ?? `the server answered ${response.status}`, answer.known, answer.not_ready);
}

/** @param {string} path @returns {Promise<any>} */
export async function get(path) {
  const response = await fetch(path, { cache: "no-store" });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(answer.error ?? `the server answered ${response.status}`);
  return answer;
}

/** @param {unknown} error */
export function reason(error) {
  if (error instanceof TypeError) return "the server does not answer.";
  return error instanceof Error ? error.message : String(error);
}
