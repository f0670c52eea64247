// A few soft tones, to be counted by whoever is to hear the videos.

/** How high, Hz, how loud, of full scale, and how long they are, and the pauses between them, s. */
const PITCH = 660;
const LOUD = .12;
const LONG = .22;
const PAUSE = .45;

/** They swell and fade for so long, s: a tone that is cut clicks. */
const FADE = .03;

/** The browser has this long to let sound through, ms. */
const PATIENCE = 1000;

/** @type {AudioContext | null} */
let context = null;

/** How sound stands, as the browser says: "running", "suspended"; "" = it has none. */
export const sound = () => context?.state ?? '';

/**
 * Plays so many tones, and returns when they are over. It fails where the browser lets no
 * sound through.
 * @param {number} n
 */
export async function play(n) {
  const on = (context ??= new AudioContext());
  if (on.state !== 'running') {
    await Promise.race([on.resume(), new Promise((late) => setTimeout(late, PATIENCE))]);
  }
  if (sound() !== 'running') throw new Error('the browser plays no sound');
  const begin = on.currentTime + .1;
  const last = begin + (n - 1) * (LONG + PAUSE) + LONG;
  for (let i = 0; i < n; i++) tone(on, begin + i * (LONG + PAUSE));
  await new Promise((over) => setTimeout(over, (last - on.currentTime) * 1000));
}

/**
 * @param {AudioContext} on
 * @param {number} at s
 */
function tone(on, at) {
  const source = new OscillatorNode(on, {frequency: PITCH});
  const gain = new GainNode(on, {gain: 0});
  source.connect(gain).connect(on.destination);
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUD, at + FADE);
  gain.gain.setValueAtTime(LOUD, at + LONG - FADE);
  gain.gain.linearRampToValueAtTime(0, at + LONG);
  source.start(at);
  source.stop(at + LONG);
}
