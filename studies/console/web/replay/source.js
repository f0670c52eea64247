// What the page asks the server about one recorded session.

import { Refusal, ask, get, send } from "../api.js";

/** @typedef {import("./types.js").Rows} Rows */

/** Whether what was asked for may be had later: nobody answered. @param {unknown} error */
export const unanswered = (error) => error instanceof Refusal && error.status === 0;

/** A picture, and what its headers say. @param {string} path */
async function picture(path) {
  const { blob, headers } = await ask(path, async (response) => ({ blob: await response.blob(), headers: response.headers }));
  return { bitmap: await createImageBitmap(blob), headers };
}

const magic = 0x524f4d45; // "EMOR", read as a little-endian number
const headerBytes = 16;

/** Reads the columns of a stream, as PROTOCOL.md has them. @param {ArrayBuffer} buffer @returns {Rows} */
export function decodeRows(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < headerBytes || view.getUint32(0, true) !== magic || view.getUint8(4) !== 1) {
    throw new Error("the server's columns are of a format that this page does not know; reload the page");
  }
  const count = view.getUint16(6, true);
  const rows = view.getUint32(8, true);
  const times = new Float64Array(buffer, headerBytes, rows);
  const columns = Array.from({ length: count }, (_, c) => new Float32Array(buffer, headerBytes + 8 * rows + 4 * rows * c, rows));
  return { times, columns, thinned: (view.getUint32(12, true) & 1) === 1 };
}

/** The recording of one session. */
export class Source {
  /** @param {string} session */
  constructor(session) {
    this.session = session;
    this.base = `/api/replay/${encodeURIComponent(session)}`;
    /** Called with how each question about what was recorded ended. @type {(refusal: Refusal|undefined) => void} */
    this.onAnswer = () => {};
  }

  /** Asks for something that every session has that is still there. @template T @param {Promise<T>} question @returns {Promise<T>} */
  async recorded(question) {
    try {
      const answer = await question;
      this.onAnswer(undefined);
      return answer;
    } catch (error) {
      if (error instanceof Refusal) this.onAnswer(error);
      throw error;
    }
  }

  /** @returns {Promise<import("./types.js").Recording>} */
  recording() {
    return get(this.base);
  }

  /** @param {string} stream @param {string[]} names @param {number} from @param {number} until @param {number} points
   * @returns {Promise<Rows>} */
  async columns(stream, names, from, until, points) {
    const query = new URLSearchParams({
      columns: names.join(","), points: String(Math.round(points)),
      from_ms: String(Math.floor(from)), until_ms: String(Math.ceil(until)),
    });
    const path = `${this.base}/columns/${encodeURIComponent(stream)}?${query}`;
    return decodeRows(await this.recorded(ask(path, (response) => response.arrayBuffer())));
  }

  /** @param {number} presentation @returns {Promise<import("./types.js").ShownFrame[]>} */
  async shown(presentation) {
    return (await this.recorded(get(`${this.base}/shown/${presentation}`))).frames ?? [];
  }

  /** @returns {Promise<import("./types.js").Events>} */
  events() {
    return this.recorded(get(`${this.base}/events`));
  }

  /** @returns {Promise<number[]>} */
  async faceTimes() {
    return (await get(`${this.base}/face`)).times_ms ?? [];
  }

  /** @param {number} n */
  async face(n) {
    return (await picture(`${this.base}/face/${n}`)).bitmap;
  }

  /** @param {{from_ms: number, until_ms: number|null, label: string, text: string}} note
   * @returns {Promise<import("./types.js").Annotation>} */
  annotate(note) {
    return send(`${this.base}/annotations`, note);
  }

  /** @param {number} id */
  removeAnnotation(id) {
    return send(`${this.base}/annotations/${id}/remove`, {});
  }

  /** Where this person looked, over a stretch of the session. @param {number} presentation @param {number} from @param {number} until */
  heat(presentation, from, until) {
    return picture(`${this.base}/heatmap/${presentation}?from_ms=${Math.round(from)}&until_ms=${Math.round(until)}`);
  }

  /** Where everybody looked, over a stretch of the clip in seconds. @param {string} stimulus @param {number} from @param {number} until */
  heatOfAll(stimulus, from, until) {
    return picture(`/api/heatmap/${encodeURIComponent(stimulus)}?from_s=${from.toFixed(3)}&until_s=${until.toFixed(3)}`);
  }

  /** @param {string} stimulus @returns {Promise<import("./types.js").AreaSet>} */
  areas(stimulus) {
    return get(areasPath(stimulus));
  }

  /** @param {string} stimulus @param {{base_version: number, aois: import("./types.js").Area[], note: string}} set
   * @returns {Promise<import("./types.js").AreaSet>} */
  saveAreas(stimulus, set) {
    return send(areasPath(stimulus), set);
  }
}

/** @param {string} stimulus */
const areasPath = (stimulus) => `/api/aois/${encodeURIComponent(stimulus)}`;

/** The file of a version, as a study takes it. @param {string} stimulus @param {number} version */
export function areasFile(stimulus, version) {
  return `${areasPath(stimulus)}/file?version=${version}`;
}
