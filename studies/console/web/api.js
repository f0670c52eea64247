// Questions and commands to the server, for all pages in one way. A command says which page
// gives it, so that the server knows whether this page holds the pen.

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

/** What the server refused, in its words; or that it did not answer. */
export class Refusal extends Error {
  /** @param {string} words @param {number} [status] of the answer; 0 = there was none
   * @param {{known?: Known, not_ready?: NotReady}} [answer] what else it says */
  constructor(words, status = 0, answer = {}) {
    super(words);
    this.status = status;
    this.known = answer.known; // what there is of a participant's code
    this.notReady = answer.not_ready; // what is missing
  }
}

/** @template T @param {Promise<T>} answer @returns {Promise<T>} */
function heard(answer) {
  return answer.catch(() => {
    throw new Refusal("the lab does not answer; look whether Emolab still runs");
  });
}

/** Asks, and reads the answer. @template T @param {string} path @param {(response: Response) => Promise<T>} read
 * @param {RequestInit} [init] @returns {Promise<T>} @throws {Refusal} */
export async function ask(path, read, init) {
  const response = await heard(fetch(path, { cache: "no-store", ...init }));
  if (response.ok) return heard(read(response));
  const answer = await response.json().catch(() => ({}));
  throw new Refusal(answer.error ?? `the server answered ${response.status}`, response.status, answer);
}

/** @param {string} path @returns {Promise<any>} @throws {Refusal} */
export function get(path) {
  return ask(path, (response) => response.json());
}

/** @param {string} path @param {object} body @returns {Promise<any>} the server's answer
 * @throws {Refusal} */
export function send(path, body) {
  return ask(path, (response) => response.json().catch(() => ({})), {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Emolab-Console": pageId() },
    body: JSON.stringify(body),
  });
}

/** @param {string} command @param {object} body @returns {Promise<any>} the server's answer
 * @throws {Refusal} */
export function post(command, body) {
  return send(`/api/session/${command}`, body);
}

/** @param {unknown} error */
export function reason(error) {
  return error instanceof Error ? error.message : String(error);
}
