// Round times for a ruler: how far apart its ticks stand, and what they say.

const second = 1000;
const minute = 60 * second;
const steps = [10, 20, 50, 100, 200, 500, second, 2 * second, 5 * second, 10 * second, 15 * second, 30 * second,
  minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, 60 * minute];

/** Round times within a stretch. @param {number} from @param {number} until @param {number} most how many there may be
 * @returns {number[]} ms */
export function ticks(from, until, most) {
  const step = stepOf(until - from, most);
  const list = [];
  for (let t = Math.ceil(from / step) * step; t <= until; t += step) list.push(t);
  return list;
}

/** @param {number} span @param {number} most */
function stepOf(span, most) {
  return steps.find((s) => span / s <= Math.max(1, most)) ?? steps[steps.length - 1];
}

/** 2:05, or 2:05.25 where the ticks are close. @param {number} t ms @param {number} apart ms to the next tick */
export function tickWords(t, apart) {
  const s = Math.floor(t / second);
  const words = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  if (apart >= second) return words;
  const digits = apart >= 100 ? 1 : 2;
  return `${words}.${String(Math.floor(t % second)).padStart(3, "0").slice(0, digits)}`;
}
