// What happens to the page and to its clip that the plan does not ask for. The
// server is told of all of it: a recording has to say why a frame stayed.

/** @import {ClipHappening, PageHappening} from './protocol.js' */

/**
 * A clip that something paused plays on after so long: whoever pressed a key has
 * let go of it, and one that changed the sound device has settled, ms.
 */
const RESUME = 1000;

/** A window whose size has not changed for so long has been resized, ms. */
const RESIZED = 1000;

/**
 * Tells what happens to the page.
 * @param {(what: PageHappening) => void} tell
 */
export function watchPage(tell) {
  let leaving = false; // being closed or reloaded, which hides the page too
  addEventListener('pagehide', () => (leaving = true)); // comes before visibilitychange
  addEventListener('pageshow', () => (leaving = false));
  document.addEventListener('visibilitychange', () => {
    if (!leaving) tell(document.visibilityState === 'hidden' ? 'hidden' : 'shown');
  });
  document.addEventListener('freeze', () => tell('frozen'));
  document.addEventListener('resume', () => tell('thawed'));
  document.addEventListener('fullscreenchange', () => {
    tell(document.fullscreenElement ? 'fullscreen-taken' : 'fullscreen-left');
  });
  let resizing = 0; // somebody draws at the window: told once
  addEventListener('resize', () => {
    if (!resizing) tell('resized');
    clearTimeout(resizing);
    resizing = setTimeout(() => (resizing = 0), RESIZED);
  });
}

/**
 * Tells what happens to a clip from its first frame on, and lets it play on when
 * something has paused it.
 * @param {HTMLVideoElement} video
 * @param {(what: ClipHappening) => void} tell
 * @param {AbortSignal} signal
 */
export function watchClip(video, tell, signal) {
  let plays = false;
  const on = (/** @type {string} */ event, /** @type {() => void} */ does) => video.addEventListener(event, does, {signal});
  const interrupted = (/** @type {ClipHappening} */ what) => {
    if (video.ended) return; // the end pauses too
    plays = false;
    tell(what);
  };
  const goOn = () => {
    // Refused, it is stuck, and that is told when its time is over.
    if (!signal.aborted && video.paused && !video.ended) video.play().catch(() => {});
  };
  let begun = false;
  on('playing', () => {
    if (begun && !plays) tell('playing');
    begun = plays = true;
  });
  on('pause', () => {
    interrupted('paused');
    setTimeout(goOn, RESUME);
  });
  on('waiting', () => begun && interrupted('waiting'));
  on('seeking', () => begun && interrupted('seeking'));
  on('seeked', () => begun && tell('seeked'));
}

/**
 * Tells when nobody can see the page any more, and when it can be seen again.
 * @param {() => void} lost
 * @param {() => void} found
 * @param {AbortSignal} signal
 */
export function watchSight(lost, found, signal) {
  document.addEventListener('visibilitychange', () => (document.visibilityState === 'hidden' ? lost() : found()), {signal});
  document.addEventListener('freeze', lost, {signal});
  document.addEventListener('resume', found, {signal});
}

/** Takes the media keys of the keyboard, so that they do nothing. */
export function blockMediaKeys() {
  /** @type {MediaSessionAction[]} */
  const actions = ['play', 'pause', 'stop', 'seekbackward', 'seekforward', 'seekto', 'previoustrack', 'nexttrack'];
  for (const action of actions) {
    try {
      navigator.mediaSession?.setActionHandler(action, () => {});
    } catch {
      // A browser without that action has no key for it.
    }
  }
}
