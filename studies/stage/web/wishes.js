// What the participant may want at any moment, and how it is said: a pause by the space
// bar or with two fingers, to stop by holding Escape, and to swipe a clip away.

import {element} from './screen.js';
import {word} from './words.js';

/** @typedef {'pause' | 'leave' | 'swipe'} Wish */

/** So long is Escape held to stop, ms. The ring in stage.css fills in this time. */
export const HELD = 2000;

/** Two fingers that lie longer, ms, or move farther, px, are no tap. */
const TAP = 600;
const STILL = 30;

/** A swipe goes over this share of the page's height at least. */
const FAR = .12;

/** A wheel turned so far swipes, px. */
const TURNED = 100;

/** Keys that swipe: those with which the next clip comes in the apps that people know. */
const SWIPES = ['ArrowUp', 'ArrowDown', 'PageDown'];

/**
 * Listens for wishes that may be had now.
 * @param {(wish: Wish) => boolean} may
 * @param {(wish: Wish) => void} want
 */
export function listen(may, want) {
  const wish = (/** @type {Wish} */ w) => {
    if (!may(w)) return false;
    want(w);
    return true;
  };
  addEventListener('keydown', (e) => {
    if (e.repeat || e.ctrlKey || e.altKey || e.metaKey || inField(e.target)) return;
    if (e.key === ' ' && wish('pause')) e.preventDefault();
    if (SWIPES.includes(e.key) && wish('swipe')) e.preventDefault();
  });
  holdEscape(() => may('leave'), () => wish('leave'));
  fingers(wish);
  let turned = 0;
  addEventListener('wheel', (e) => {
    if (!may('swipe')) {
      turned = 0;
      return;
    }
    turned += e.deltaY;
    if (turned >= TURNED) {
      turned = 0;
      wish('swipe');
    }
  }, {passive: true});
}

/** @param {EventTarget | null} target */
const inField = (target) => target instanceof HTMLElement && target.matches('input, textarea, button, select, a');

/**
 * Escape, held. A ring fills meanwhile, and letting go takes it back.
 * @param {() => boolean} may
 * @param {() => void} held
 */
function holdEscape(may, held) {
  const ring = element('hold');
  let timer = 0;
  const off = () => {
    clearTimeout(timer);
    timer = 0;
    ring.classList.remove('on');
  };
  addEventListener('keydown', (e) => {
    if (e.key !== 'Escape' || e.repeat || timer || !may()) return;
    e.preventDefault();
    element('hold-words').textContent = word('holding');
    ring.classList.add('on');
    timer = setTimeout(() => {
      off();
      held();
    }, HELD);
  });
  addEventListener('keyup', (e) => e.key === 'Escape' && off());
  addEventListener('blur', off);
  document.addEventListener('visibilitychange', off);
}

/**
 * Two fingers that tap, and one that swipes upwards.
 * @param {(w: Wish) => boolean} wish
 */
function fingers(wish) {
  /** Where the first finger came down, and when: by the event, for a busy page hears late. @type {{x: number, y: number, at: number} | null} */
  let first = null;
  let most = 0; // fingers at once
  let moved = 0;
  const away = (/** @type {Touch | undefined} */ t) => (first && t ? {x: t.clientX - first.x, y: t.clientY - first.y} : {x: 0, y: 0});
  addEventListener('touchstart', (e) => {
    const [t] = e.touches;
    if (e.touches.length === 1 && t) {
      first = {x: t.clientX, y: t.clientY, at: e.timeStamp};
      most = moved = 0;
    }
    most = Math.max(most, e.touches.length);
  }, {passive: true});
  addEventListener('touchmove', (e) => {
    const {x, y} = away(e.touches[0]);
    moved = Math.max(moved, Math.hypot(x, y));
  }, {passive: true});
  addEventListener('touchend', (e) => {
    if (e.touches.length > 0 || !first) return;
    const {x, y} = away(e.changedTouches[0]);
    if (most === 2 && moved < STILL && e.timeStamp - first.at < TAP) wish('pause');
    if (most === 1 && -y > FAR * innerHeight && -y > Math.abs(x)) wish('swipe');
    first = null;
  }, {passive: true});
}
