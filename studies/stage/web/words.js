// What the participant reads that no sheet of the study says, in the language that they
// chose. The words come from the server, which has those of the study too.

/** Where the language stays while a participant is there, for a page that is reloaded. */
const KEPT = 'language';

/** A server that has just been started may not answer yet: asked again after so long, ms. */
const RETRY = 500;

/** All words of a language, by key. @typedef {Record<string, string>} Catalogue */

/** @type {Map<string, Promise<Catalogue>>} */
const catalogues = new Map();

/** @type {Catalogue} */
let words = {};

/** The language in which the page speaks. */
export let language = '';

/**
 * The words of that key, without "page.", with {name} replaced by what `put` has.
 * @param {string} key
 * @param {Record<string, string | number>} [put]
 */
export function word(key, put = {}) {
  const text = words[`page.${key}`] ?? '';
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(put[name] ?? whole));
}

/**
 * So long, in words: whole minutes, or else seconds.
 * @param {number} ms
 */
export function timeInWords(ms) {
  const seconds = Math.max(1, Math.round(ms / 1000));
  const [n, unit] = seconds % 60 ? [seconds, 'second'] : [seconds / 60, 'minute'];
  return new Intl.NumberFormat(language, {style: 'unit', unit, unitDisplay: 'long'}).format(n);
}

/**
 * Tells whether there are words of that key.
 * @param {string} key
 */
export const has = (key) => `page.${key}` in words;

/**
 * That language's part of a text, or else any there is.
 * @template T
 * @param {Record<string, T> | null | undefined} text
 * @returns {T | undefined}
 */
export function inLanguage(text) {
  if (!text) return undefined;
  return text[language] ?? Object.values(text)[0];
}

/**
 * Fetches the words of a language, once.
 * @param {string} tag
 */
function fetched(tag) {
  let catalogue = catalogues.get(tag);
  if (!catalogue) {
    catalogue = fetchWords(tag);
    catalogues.set(tag, catalogue);
    catalogue.catch(() => catalogues.delete(tag));
  }
  return catalogue;
}

/**
 * @param {string} tag
 * @returns {Promise<Catalogue>}
 */
async function fetchWords(tag) {
  for (;;) {
    /** @type {Response} */
    let answer;
    try {
      answer = await fetch(`/stage/words/${encodeURIComponent(tag)}.json`);
    } catch {
      await new Promise((again) => setTimeout(again, RETRY));
      continue;
    }
    if (!answer.ok) throw new Error(`the words of ${tag}: ${answer.status}`);
    return answer.json();
  }
}

/**
 * Speaks that language from now on.
 * @param {string} tag
 */
export async function speak(tag) {
  words = await fetched(tag);
  language = tag;
  document.documentElement.lang = tag;
}

/** Speaks the browser's language, as far as it is built in: the study is not known yet. */
export const speakFirst = () => speak(navigator.language.startsWith('fr') ? 'fr' : 'en');

/**
 * Speaks the language that the participant has chosen, or else the study's first, and
 * makes sure of the words of all.
 * @param {string[]} languages
 */
export async function speakOneOf(languages) {
  const [first] = languages;
  if (!first) return; // a study without texts: the page goes on in its own
  catalogues.clear(); // another study may have words of its own
  await Promise.all(languages.map(fetched));
  const kept = sessionStorage.getItem(KEPT);
  await speak(kept && languages.includes(kept) ? kept : first);
}

/**
 * Speaks what the participant has chosen, now and after a reload.
 * @param {string} tag
 */
export async function choose(tag) {
  await speak(tag);
  keep();
}

/** The participant has answered in this language, and so has chosen it. */
export const keep = () => sessionStorage.setItem(KEPT, language);

/** Whether the participant has chosen. */
export const chosen = () => sessionStorage.getItem(KEPT) !== null;

/** Forgets what was chosen: the next participant chooses anew. */
export const forget = () => sessionStorage.removeItem(KEPT);

/**
 * What a language is called in itself.
 * @param {string} tag
 */
export function nameOf(tag) {
  const name = new Intl.DisplayNames([tag], {type: 'language'}).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}
