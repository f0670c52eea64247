// Decoding of the binary batches; the bytes are described in PROTOCOL.md.

/** @typedef {import("./types.js").Batch} Batch */

const magic = 0x4c4f4d45; // "EMOL" read as a little-endian number
const version = 1;
const live = 1;
const headerBytes = 16;
const blockBytes = 8;
const flagGap = 1;

/**
 * @param {ArrayBuffer} buffer one WebSocket message
 * @returns {Batch}
 * @throws {Error} when the message is not a whole batch of this version
 */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < headerBytes || view.getUint32(0, true) !== magic) throw new Error("not a live batch");
  if (view.getUint8(4) !== version || view.getUint8(5) !== live) throw new Error("a batch of another version: reload this page");
  const count = view.getUint16(6, true);
  /** @type {Batch} */
  const batch = { now: view.getFloat64(8, true), blocks: [] };
  let at = headerBytes;
  for (let i = 0; i < count; i++) {
    if (at + blockBytes > buffer.byteLength) throw new Error("batch cut short");
    const rows = view.getUint16(at + 2, true);
    const channels = view.getUint16(at + 4, true);
    const block = {
      stream: view.getUint8(at),
      gap: (view.getUint8(at + 1) & flagGap) !== 0,
      channels,
      times: new Float64Array(rows),
      values: new Float32Array(rows * channels),
    };
    at += blockBytes;
    if (at + rows * (8 + 4 * channels) > buffer.byteLength) throw new Error("batch cut short");
    for (let k = 0; k < rows; k++, at += 8) block.times[k] = view.getFloat64(at, true);
    for (let k = 0; k < rows * channels; k++, at += 4) block.values[k] = view.getFloat32(at, true);
    at += (rows * channels) % 2 * 4;
    batch.blocks.push(block);
  }
  return batch;
}
