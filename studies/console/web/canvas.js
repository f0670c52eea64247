// Canvases that are sharp on every screen.

/** Gives a canvas the pixels of a box, and draws in the box's own units from then on. @param {HTMLCanvasElement} canvas @param {CanvasRenderingContext2D} ctx @param {DOMRect} box */
export function fit(canvas, ctx, box) {
  const dpr = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(box.width * dpr));
  canvas.height = Math.max(1, Math.round(box.height * dpr));
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
}
