// The clips, fetched whole before anything begins, so that playing does not
// depend on the network, and checked against the hash that the study has of
// them, so that what is shown is what was measured.

/** @import {Clip} from './protocol.js' */

/** Clips by their hash: the URL of the blob. @type {Map<string, string>} */
const held = new Map();

/**
 * Loads those of clips that are not here yet.
 * @param {Clip[]} clips
 * @param {(share: number) => void} progress
 */
export async function load(clips, progress) {
  for (const [i, clip] of clips.entries()) {
    if (held.has(clip.sha256)) continue;
    const blob = await fetchClip(clip, (share) => progress((i + share) / clips.length));
    await verify(clip, blob);
    held.set(clip.sha256, URL.createObjectURL(blob));
  }
}

/**
 * Where to play a loaded clip from.
 * @param {Clip} clip
 */
export function source(clip) {
  const url = held.get(clip.sha256);
  if (!url) throw new Error(`${clip.id} is not loaded`);
  return url;
}

/**
 * @param {Clip} clip
 * @param {(share: number) => void} progress
 */
async function fetchClip(clip, progress) {
  const answer = await fetch(clip.url);
  if (!answer.ok || !answer.body) throw new Error(`${clip.id}: ${answer.status} ${await answer.text()}`);
  const total = Number(answer.headers.get('Content-Length'));
  /** @type {BlobPart[]} */
  const parts = [];
  let got = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    parts.push(value);
    got += value.length;
    if (total > 0) progress(got / total);
  }
  return new Blob(parts, {type: 'video/mp4'});
}

/**
 * @param {Clip} clip
 * @param {Blob} blob
 */
async function verify(clip, blob) {
  if (!globalThis.crypto?.subtle) return; // only on localhost or with TLS
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
  const hex = Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('');
  if (hex !== clip.sha256) throw new Error(`${clip.id}: the file has changed since the study was loaded`);
}
