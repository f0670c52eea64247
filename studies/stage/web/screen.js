// What is on the screen, and what the screen is.

import {word} from './words.js';

/** @import {Corner, Place, ScreenSeen} from './protocol.js' */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no element ${id}`);
  return e;
}

const headline = element('headline');
const advice = element('advice');
const picture = element('picture');
const progress = /** @type {HTMLProgressElement} */ (element('progress'));

/** Time between two refreshes of the screen, ms; 0 until it is known. */
let period = 0;

/** The screen on which that was measured. */
let measuredOn = '';

/** Size and pixel rate of the present screen, to tell it from another. */
const present = () => `${screen.width} ${screen.height} ${devicePixelRatio}`;

/** Whether the page is on another screen than that whose refresh was measured. */
export const moved = () => measuredOn !== present();

/** @returns {ScreenSeen} */
export function seen() {
  return {screen_w: screen.width, screen_h: screen.height, dpr: devicePixelRatio, refresh_hz: refreshRate()};
}

/** The screen's refresh rate in Hz; 0 if unknown. */
export const refreshRate = () => (period > 0 ? 1000 / period : 0);

/** Time from an animation frame until what it drew is visible, ms. */
export const refresh = () => period;

/** Measures the refresh: the median of 40 frames. A hidden page has none. */
export async function measureRefresh() {
  /** @type {number[]} */
  const gaps = [];
  let last = 0;
  measuredOn = present();
  const enough = new Promise((done) => {
    const each = (/** @type {number} */ now) => {
      if (last > 0) gaps.push(now - last);
      last = now;
      if (gaps.length < 40) requestAnimationFrame(each);
      else done(undefined);
    };
    requestAnimationFrame(each);
  });
  await Promise.race([enough, new Promise((late) => setTimeout(late, 2000))]);
  gaps.sort((a, b) => a - b);
  period = gaps.length > 10 ? gaps[gaps.length >> 1] : 0;
}

/**
 * Waits for the next frame of the screen and returns its time (ms). It rejects
 * when signal is aborted.
 * @param {AbortSignal} signal
 * @returns {Promise<number>}
 */
export function nextFrame(signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      cancelAnimationFrame(id);
      reject(signal.reason);
    };
    const id = requestAnimationFrame((now) => {
      signal.removeEventListener('abort', abort);
      resolve(now);
    });
    signal.addEventListener('abort', abort, {once: true});
  });
}

/** @typedef {'cross' | 'neutral' | 'blank' | 'sheet' | 'target' | 'cue' | 'pause'} View */

/**
 * Shows a view in the next frame and returns when it is visible (ms): what is
 * changed in a frame's callback lights up one refresh later, as with
 * expectedDisplayTime.
 * @param {View} view
 * @param {AbortSignal} signal
 */
export async function draw(view, signal) {
  const now = await nextFrame(signal);
  show(view);
  return now + period;
}

/**
 * Shows a view now, and returns when it will be visible (ms).
 * @param {View | 'words'} view
 */
export function show(view) {
  document.body.dataset.view = view;
  picture.replaceChildren();
  return performance.now() + period;
}

/** Whether a clip is shown. */
export const showsClip = () => document.body.dataset.view === 'clip';

/**
 * Says where clips are shown: small in a corner, for a light sensor that is held
 * there, or large in the middle.
 * @param {Corner} where
 */
export function setCorner(where) {
  element('sensor').textContent = word('sensor');
  document.body.dataset.corner = where;
}

/** Writes what the face is to do while the cross stands. */
export function setNeutral() {
  element('neutral-words').textContent = word('neutral');
}

/**
 * Says whether clips stand in an upright frame, all of one size.
 * @param {boolean} on
 */
export function setFrame(on) {
  picture.classList.toggle('framed', on);
}

/**
 * Shows the video that was placed, in the callback of an animation frame, and
 * returns when it is visible (ms).
 * @param {number} now of the animation frame
 */
export function uncover(now) {
  document.body.dataset.view = 'clip';
  return now + period;
}

/**
 * Lays a video under what is shown. Its element has the shape of the picture, so that
 * the element's place is the picture's.
 * @param {HTMLVideoElement} video
 * @param {number} width
 * @param {number} height
 */
export function place(video, width, height) {
  const frame = document.createElement('div');
  frame.className = 'frame';
  frame.style.setProperty('--shape', String(width / height));
  frame.append(video);
  picture.replaceChildren(frame);
}

/**
 * Shows words, and a bar when share is given.
 * @param {string} head
 * @param {string} [more]
 * @param {number} [share] 0..1
 */
export function say(head, more = '', share) {
  headline.textContent = head;
  advice.textContent = more;
  progress.hidden = share === undefined;
  progress.value = share ?? 0;
  show('words');
}

/**
 * Where the page's upper left corner is on the screen, and the screen's size, in CSS
 * px. In full screen the page is the screen; in a window the browser does not say
 * exactly where the page begins, and its frame is taken to be equally wide left,
 * right and below.
 */
function frame() {
  const w = Math.max(screen.width, innerWidth);
  const h = Math.max(screen.height, innerHeight);
  let left = 0;
  let top = 0;
  if (innerWidth < w || innerHeight < h) {
    // availLeft and availTop, where they are known, are the origin of this
    // screen among several.
    const origin = /** @type {{availLeft?: number, availTop?: number}} */ (/** @type {unknown} */ (screen));
    const edge = Math.max(0, (outerWidth - innerWidth) / 2);
    left = screenX - (origin.availLeft ?? 0) + edge;
    top = screenY - (origin.availTop ?? 0) + Math.max(0, outerHeight - innerHeight - edge);
  }
  return {left, top, w, h};
}

/**
 * The place of an element as x, y, w, h in fractions of the screen.
 * @param {Element} e
 */
export function placeOnScreen(e) {
  const r = e.getBoundingClientRect();
  const {left, top, w, h} = frame();
  return [(left + r.left) / w, (top + r.top) / h, r.width / w, r.height / h];
}

/**
 * The point of the page, in CSS px, that lies at a place of the screen; where the
 * page does not reach so far, the nearest that is `margin` within it.
 * @param {Place} at
 * @param {number} margin px
 */
export function toPage(at, margin) {
  const {left, top, w, h} = frame();
  const within = (/** @type {number} */ v, /** @type {number} */ size) => Math.min(Math.max(v, margin), size - margin);
  return {x: within(at.x * w - left, innerWidth), y: within(at.y * h - top, innerHeight)};
}

/**
 * The place on the screen of a point of the page in CSS px.
 * @param {Place} point
 * @returns {Place}
 */
export function toScreen(point) {
  const {left, top, w, h} = frame();
  return {x: (left + point.x) / w, y: (top + point.y) / h};
}

/** The centre of the fixation cross. */
export const crossPlace = () => toScreen({x: innerWidth / 2, y: innerHeight / 2});

/** Asks for full screen and for the screen to stay lit; both may be refused. */
export async function takeScreen() {
  try {
    if (!document.fullscreenElement) await document.documentElement.requestFullscreen({navigationUI: 'hide'});
    // A tap on Escape then does not end it, and the page hears when it is held.
    const {keyboard} = /** @type {{keyboard?: {lock?: (keys: string[]) => Promise<void>}}} */ (/** @type {unknown} */ (navigator));
    await keyboard?.lock?.(['Escape']);
  } catch {
    // A browser without full screen still shows the stage.
  }
  await keepLit();
}

/** Keeps the screen lit while the page is visible. */
export async function keepLit() {
  try {
    if (document.visibilityState === 'visible') await navigator.wakeLock?.request('screen');
  } catch {
    // Refused on low battery, or beyond localhost without TLS.
  }
}
