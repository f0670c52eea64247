// What the fields of a sheet are made of.

import {inLanguage, word} from '../words.js';

/** @import {FieldSpec} from '../protocol.js' */

/**
 * One thing to answer on a sheet.
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {() => Record<string, string>} values what is answered, by key
 * @property {() => string} fault what is wrong with it, in words; "" = nothing
 * @property {(words: string) => void} complain says so on the page; "" = no more
 * @property {() => void} focus
 * @property {(key: string, value: string) => void} act answers as a participant does
 */

/**
 * Makes a field. `changed` is called with the key of an answer that was given.
 * @callback Maker
 * @param {FieldSpec} spec
 * @param {(key: string) => void} changed
 * @returns {Field}
 */

/**
 * Makes an element with a class, attributes and what is in it.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} className
 * @param {Record<string, string | number | boolean>} [attributes] false leaves one out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, className, attributes = {}, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  set(e, attributes);
  e.append(...children);
  return e;
}

/** @type {'http://www.w3.org/2000/svg'} */
const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element of a drawing.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} attributes
 * @param {Node[]} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function drawn(tag, attributes, ...children) {
  const e = document.createElementNS(SVG, tag);
  set(e, attributes);
  e.append(...children);
  return e;
}

/**
 * @param {Element} e
 * @param {Record<string, string | number | boolean>} attributes
 */
function set(e, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) e.setAttribute(name, value === true ? '' : String(value));
  }
}

/** The id of an element that belongs to a field. @param {FieldSpec} spec @param {string} part */
export const idOf = (spec, part) => `field-${spec.id}-${part}`;

/**
 * What a field asks, with a remark if it may be left open.
 * @param {FieldSpec} spec
 * @returns {(Node | string)[]}
 */
export function question(spec) {
  const ask = inLanguage(spec.ask) ?? spec.id;
  if (spec.required) return [ask];
  return [`${ask} `, make('span', 'remark', {}, word('optional'))];
}

/**
 * Where a field says what is wrong with it.
 * @param {FieldSpec} spec
 */
export const complaint = (spec) => make('p', 'complaint', {id: idOf(spec, 'complaint')});

/**
 * A group of controls with what it asks, for a field that has several.
 * @param {FieldSpec} spec
 * @param {string} className
 * @param {(Node | string)[]} content
 */
export function group(spec, className, ...content) {
  const wrong = complaint(spec);
  const element = make('fieldset', `field ${className}`, {role: 'radiogroup', 'aria-describedby': wrong.id, 'aria-required': String(spec.required)},
    make('legend', '', {}, ...question(spec)), wrong, ...content);
  return {element, complain: complainer(element, wrong)};
}

/**
 * Writes what is wrong, and marks the control that it is about.
 * @param {HTMLElement} control
 * @param {HTMLElement} where
 */
export function complainer(control, where) {
  return (/** @type {string} */ words) => {
    where.textContent = words;
    if (words) control.setAttribute('aria-invalid', 'true');
    else control.removeAttribute('aria-invalid');
  };
}

/**
 * A set of radio buttons as a field: one key, one value.
 * @param {FieldSpec} spec
 * @param {HTMLInputElement[]} radios
 * @param {(key: string) => void} changed
 */
export function choiceOf(spec, radios, changed) {
  const chosen = () => radios.find((r) => r.checked);
  for (const r of radios) r.addEventListener('change', () => changed(spec.id));
  return {
    /** @returns {Record<string, string>} */
    values: () => {
      const r = chosen();
      return r ? {[spec.id]: r.value} : {};
    },
    fault: () => (spec.required && !chosen() ? word('missing') : ''),
    focus: () => (chosen() ?? radios[0])?.focus(),
    act: (/** @type {string} */ _key, /** @type {string} */ value) => radios.find((r) => r.value === value)?.click(),
  };
}

/**
 * One radio button.
 * @param {FieldSpec} spec
 * @param {string} value
 * @param {Record<string, string | number | boolean>} [attributes]
 */
export const radio = (spec, value, attributes = {}) => make('input', '', {type: 'radio', name: spec.id, value, ...attributes});

/**
 * Chooses by the digit on the keyboard while the focus is in the group.
 * @param {HTMLElement} element
 * @param {HTMLInputElement[]} radios
 */
export function byDigit(element, radios) {
  element.addEventListener('keydown', (e) => {
    if (e.repeat || e.ctrlKey || e.altKey || e.metaKey) return;
    const r = radios.find((r) => r.value === e.key);
    if (!r) return;
    r.focus();
    r.click();
    e.preventDefault();
  });
}

/**
 * The words at the two ends of a scale.
 * @param {FieldSpec} spec
 * @param {string} low where the study says nothing
 * @param {string} high
 */
export const ends = (spec, low = '', high = '') => ({low: inLanguage(spec.low) || low, high: inLanguage(spec.high) || high});

/**
 * How a point of a scale is read out: its number, of how many, and at the ends their words.
 * @param {number} n from 1
 * @param {number} points
 * @param {{low: string, high: string}} words
 */
export function pointName(n, points, words) {
  const end = n === 1 ? words.low : n === points ? words.high : '';
  return word('point', {n, points}) + (end ? `, ${end}` : '');
}
