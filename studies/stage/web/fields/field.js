// Which field is made for which question.

import {choice, yesNo} from './choice.js';
import {affectGrid} from './grid.js';
import {integer} from './integer.js';
import {likert} from './likert.js';
import {line} from './line.js';
import {manikin} from './manikin.js';
import {scope} from './scope.js';
import {freeText} from './text.js';

/** @import {FieldSpec, FieldType} from '../protocol.js' */
/** @import {Maker} from './parts.js' */

/** @type {Record<FieldType, Maker>} */
const MAKERS = {scope, yesno: yesNo, integer, choice, likert, sam: manikin, affect_grid: affectGrid, vas: line, text: freeText};

/**
 * @param {FieldSpec} spec
 * @param {(key: string) => void} changed is called with the key of an answer that was given
 */
export function field(spec, changed) {
  const maker = MAKERS[spec.type];
  if (!maker) throw new Error(`this page cannot ask for ${spec.type}`);
  return maker(spec, changed);
}
