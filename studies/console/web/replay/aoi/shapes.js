// Areas of interest as values: where one is at a moment, and what comes of moving it.
// Places are fractions of the clip; the format is that of fusion/aoi. Nothing here is
// changed in place, so that every step can be undone.

/** @typedef {import("../types.js").Area} Area */
/** @typedef {import("../types.js").Geometry} Geometry */
/** @typedef {import("../types.js").Keyframe} Keyframe */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("../types.js").ShapeName} ShapeName */

/** Two times within this are the same frame, s. */
const sameS = 0.0015;
/** The smallest side of an area, as a fraction of the clip. */
export const smallest = 0.005;

const within = (/** @type {number} */ v, low = 0, high = 1) => Math.min(high, Math.max(low, v));
const round = (/** @type {number} */ v) => Math.round(v * 1e4) / 1e4;
/** Media time as files have it: whole milliseconds. @param {number} s */
const roundTime = (s) => Math.round(s * 1000) / 1000;

/** @param {Geometry} g @returns {Geometry} */
function tidy(g) {
  if (g.points) return { points: g.points.map(([x, y]) => [round(within(x)), round(within(y))]) };
  const [x, y, w, h] = g.box ?? [0, 0, 1, 1];
  const [width, height] = [within(w, smallest), within(h, smallest)];
  return { box: [round(within(x, 0, 1 - width)), round(within(y, 0, 1 - height)), round(width), round(height)] };
}

/** @param {Area|Keyframe} of @returns {Geometry} */
const geometryOf = (of) => (of.points ? { points: of.points } : { box: of.box ?? [0, 0, 1, 1] });

/** Where an area is; null = not there. @param {Area} area @param {number} t s of the clip @returns {Geometry|null} */
export function geometryAt(area, t) {
  const frames = area.keyframes;
  if (!frames) return geometryOf(area);
  const i = frames.findLastIndex((k) => k.t_s <= t + sameS);
  const [a, b] = [frames[i], frames[i + 1]];
  if (!a || a.hidden) return null;
  if (!b || b.hidden) return geometryOf(a);
  const share = within((t - a.t_s) / (b.t_s - a.t_s));
  const mix = (/** @type {number} */ from, /** @type {number} */ to) => from + (to - from) * share;
  const [from, to] = [geometryOf(a), geometryOf(b)];
  if (from.points && to.points) {
    const corners = to.points;
    return { points: from.points.map(([x, y], n) => [mix(x, corners[n][0]), mix(y, corners[n][1])]) };
  }
  const target = to.box ?? [0, 0, 1, 1];
  const [x, y, w, h] = from.box ?? [0, 0, 1, 1];
  return { box: [mix(x, target[0]), mix(y, target[1]), mix(w, target[2]), mix(h, target[3])] };
}

/** The keyframe of this frame of the clip; -1 = none. @param {Area} area @param {number} t */
export const keyframeAt = (area, t) => (area.keyframes ?? []).findIndex((k) => Math.abs(k.t_s - t) <= sameS);

/** Where it would be if it were there: as it is, or as it was last or will be first.
 * @param {Area} area @param {number} t @returns {Geometry} */
function nearest(area, t) {
  const there = geometryAt(area, t);
  if (there) return there;
  const seen = (area.keyframes ?? []).filter((k) => !k.hidden);
  return geometryOf(seen.findLast((k) => k.t_s <= t) ?? seen[0]);
}

/** @param {Area} area @param {Keyframe} keyframe @returns {Area} */
function withKeyframe(area, keyframe) {
  const { box: _box, points: _points, ...rest } = area;
  const start = area.keyframes ?? (keyframe.t_s > sameS ? [{ t_s: 0, ...geometryOf(area) }] : []);
  const keyframes = start.filter((k) => Math.abs(k.t_s - keyframe.t_s) > sameS).concat({ ...keyframe, t_s: roundTime(keyframe.t_s) });
  return { ...rest, keyframes: keyframes.sort((a, b) => a.t_s - b.t_s) };
}

/** A keyframe of where the area is now. @param {Area} area @param {number} t @returns {Area} */
export const addKeyframe = (area, t) => withKeyframe(area, { t_s: t, ...tidy(nearest(area, t)) });

/** From here on the area is not there. @param {Area} area @param {number} t @returns {Area} */
export function hideFrom(area, t) {
  const hidden = withKeyframe(area, { t_s: t, hidden: true });
  return hidden.keyframes?.some((k) => !k.hidden) ? hidden : area;
}

/** @param {Area} area @param {number} i @returns {Area} the same where nothing would be left to see */
export function removeKeyframe(area, i) {
  const { keyframes = [], ...rest } = area;
  const left = keyframes.filter((_, n) => n !== i);
  if (!left.some((k) => !k.hidden)) return area;
  if (left.length === 1 && left[0].t_s <= sameS) return { ...rest, ...geometryOf(left[0]) };
  return { ...rest, keyframes: left };
}

/** Puts an area to a place: for ever, or in the frame of this moment if it moves.
 * @param {Area} area @param {number} t @param {Geometry} geometry @returns {Area} */
export function place(area, t, geometry) {
  return area.keyframes ? withKeyframe(area, { t_s: t, ...tidy(geometry) }) : { ...area, ...tidy(geometry) };
}

/** The smallest box around it: left, top, right, bottom. @param {Geometry} g */
function bounds(g) {
  if (g.box) return [g.box[0], g.box[1], g.box[0] + g.box[2], g.box[1] + g.box[3]];
  const [xs, ys] = [(g.points ?? []).map((p) => p[0]), (g.points ?? []).map((p) => p[1])];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Moves without leaving the clip. @param {Geometry} g @param {number} dx @param {number} dy @returns {Geometry} */
export function moved(g, dx, dy) {
  const [left, top, right, bottom] = bounds(g);
  const [x, y] = [within(dx, -left, 1 - right), within(dy, -top, 1 - bottom)];
  if (g.points) return { points: g.points.map(([px, py]) => [px + x, py + y]) };
  const [bx, by, w, h] = g.box ?? [0, 0, 1, 1];
  return { box: [bx + x, by + y, w, h] };
}

/** The corners that can be taken hold of. @param {Geometry} g @returns {[number, number][]} */
export function corners(g) {
  if (g.points) return g.points;
  const [left, top, right, bottom] = bounds(g);
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}

/** Puts one corner elsewhere; the opposite one of a box stays. @param {Geometry} g @param {number} i @param {number} x @param {number} y @returns {Geometry} */
export function withCorner(g, i, x, y) {
  if (g.points) return { points: g.points.map((p, n) => (n === i ? [within(x), within(y)] : p)) };
  const [ox, oy] = corners(g)[(i + 2) % 4];
  return boxOf(ox, oy, x, y);
}

/** The box between two corners. @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @returns {Geometry} */
export function boxOf(x0, y0, x1, y1) {
  const [ax, ay, bx, by] = [within(x0), within(y0), within(x1), within(y1)];
  return { box: [Math.min(ax, bx), Math.min(ay, by), Math.max(smallest, Math.abs(bx - ax)), Math.max(smallest, Math.abs(by - ay))] };
}

/** Whether all corners lie on one line, so that nothing lies inside. @param {Point[]} points */
export function flat(points) {
  const [x0, y0] = points[0];
  const apart = (/** @type {Point} */ [x, y]) => Math.hypot(x - x0, y - y0);
  const far = points.reduce((a, b) => (apart(b) > apart(a) ? b : a));
  return points.every(([x, y]) => Math.abs((x - x0) * (far[1] - y0) - (y - y0) * (far[0] - x0)) < smallest ** 2);
}

/** Whether an outline crosses itself: then what it goes round twice is not inside. @param {Point[]} points */
export function crosses(points) {
  const side = (/** @type {Point} */ a, /** @type {Point} */ b, /** @type {Point} */ c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
  const edges = points.map((p, i) => /** @type {[Point, Point]} */ ([p, points[(i + 1) % points.length]]));
  return edges.some(([a, b], i) => edges.slice(i + 1).some(([c, d]) => side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0));
}

/** A name that no area has yet. @param {Area[]} areas @param {string} wanted */
export function freeName(areas, wanted) {
  const names = new Set(areas.map((a) => a.name));
  if (!names.has(wanted)) return wanted;
  let n = 2;
  while (names.has(`${wanted} ${n}`)) n++;
  return `${wanted} ${n}`;
}

/** A new area. @param {Area[]} areas @param {ShapeName} shape @param {Geometry} geometry @returns {Area} */
export const newArea = (areas, shape, geometry) => ({ name: freeName(areas, "area"), shape, ...tidy(geometry) });
