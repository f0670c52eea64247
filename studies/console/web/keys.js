// The keyboard: one listener for the page. No key does anything while somebody types or a
// dialog asks something, and none with Ctrl, Alt or Meta, which are the browser's.

/** @typedef {() => (boolean|void)} Act returns false when the key means nothing now */

export class Keys {
  constructor() {
    /** @type {{key: string, act: Act}[]} */
    this.list = [];
    addEventListener("keydown", (event) => this.press(event));
  }

  /** @param {string} key "s", or "S" for Shift and S @param {Act} act @returns {() => void} takes it back */
  on(key, act) {
    const entry = { key, act };
    this.list.push(entry);
    return () => {
      this.list = this.list.filter((other) => other !== entry);
    };
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
    const key = event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
    for (const entry of [...this.list]) {
      if (entry.key !== key || entry.act() === false) continue;
      event.preventDefault(); // or the letter would stand in the field that opens
      return;
    }
  }
}

/** Whether a key belongs to what somebody types or answers; letters mean nothing to a box to
 * tick. A field of a dialog that has just closed keeps the focus until the next frame.
 * @param {EventTarget|null} target */
export function typing(target) {
  const field = (target instanceof HTMLInputElement && target.type !== "checkbox") || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
  return (field && target.getClientRects().length > 0) || document.querySelector("dialog[open]") !== null;
}
