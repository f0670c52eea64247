// What the participant takes away: the code by which everything can be withdrawn, what
// was agreed to, and until when it is kept.

import {drawn, make} from './fields/parts.js';
import {has, inLanguage, language, word} from './words.js';

/** @import {ReceiptMessage, Sheet} from './protocol.js' */

/** Light modules around a QR code (ISO/IEC 18004: four). */
const QUIET = 4;

/** Characters of a group of a code that has none. */
const GROUP = 4;

/**
 * @param {ReceiptMessage} message
 * @param {Sheet[]} sheets of the plan: they say what each scope is
 * @returns {Node[]}
 */
export function receipt({receipt: r, qr}, sheets) {
  /** @type {Node[]} */
  const parts = [make('p', 'study', {}, r.study)];
  if (r.code) {
    parts.push(make('div', 'code', {},
      ...(qr ? [qrCode(qr)] : []),
      make('p', '', {}, word('receipt.code'), make('strong', '', {translate: 'no'}, ...grouped(r.code)))));
  }
  for (const [heading, scopes] of /** @type {const} */ ([['receipt.agreed', r.scopes], ['receipt.refused', r.refused]])) {
    if (!scopes?.length) continue;
    parts.push(make('h2', '', {}, word(heading)), make('ul', '', {}, ...scopes.map((s) => make('li', '', {}, scopeName(s, sheets)))));
  }
  const until = r.until ?? [];
  if (until.length > 0) {
    parts.push(make('h2', '', {}, word('receipt.until')), make('dl', '', {}, ...until.flatMap((l) => [
      make('dt', '', {}, has(`receipt.${l.class}`) ? word(`receipt.${l.class}`) : l.class),
      make('dd', '', {}, l.after_payment_days ? word('receipt.afterPayment', {n: String(l.after_payment_days)}) : day(l.until)),
    ])));
  }
  parts.push(make('p', 'session', {}, word('receipt.session', {id: r.session})));
  const print = make('button', 'print', {type: 'button'}, word('receipt.print'));
  print.addEventListener('click', () => window.print());
  parts.push(print);
  return parts;
}

/**
 * A code in groups, which can be read aloud.
 * @param {string} code
 */
function grouped(code) {
  const groups = /[\s-]/.test(code) ? code.split(/[\s-]+/) : code.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? [];
  return groups.flatMap((g, i) => (i ? ['-', make('wbr', ''), g] : [g]));
}

/** @param {string} scope @param {Sheet[]} sheets */
function scopeName(scope, sheets) {
  for (const s of sheets) {
    const f = s.fields?.find((f) => f.type === 'scope' && f.id === scope);
    if (f) return inLanguage(f.ask) ?? scope;
  }
  return scope;
}

/**
 * A day in words; Go's time zero says that there is none.
 * @param {string} time
 */
function day(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1970) return word('receipt.unlimited');
  return new Intl.DateTimeFormat(language, {dateStyle: 'long'}).format(date);
}

/** @param {boolean[][]} modules */
function qrCode(modules) {
  const side = modules.length + 2 * QUIET;
  const d = modules.map((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : '')).join('')).join('');
  return drawn('svg', {class: 'qr', viewBox: `0 0 ${side} ${side}`, role: 'img', 'aria-label': word('receipt.qr'), 'shape-rendering': 'crispEdges'},
    drawn('rect', {class: 'light', width: side, height: side}), drawn('path', {class: 'dark', d}));
}
