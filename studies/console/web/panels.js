// Mounts the panels and keeps them apart: one that throws is named, and the others go on.

/** @typedef {import("./lab.js").Lab} Lab */
/** @typedef {import("./lab.js").Panel} Panel */
/** @typedef {{mount: (host: HTMLElement, lab: Lab) => Panel}} Module */

export class Panels {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {{name: string, host: HTMLElement, panel: Panel}[]} */
    this.list = [];
  }

  /** @param {string} name as the operator calls it @param {HTMLElement} host @param {Module} module */
  mount(name, host, module) {
    try {
      this.list.push({ name, host, panel: module.mount(host, this.lab) });
    } catch (error) {
      this.broken(name, host, error);
    }
  }

  /** @param {(panel: Panel) => void} act */
  each(act) {
    for (const entry of this.list) {
      try {
        act(entry.panel);
      } catch (error) {
        this.list = this.list.filter((other) => other !== entry);
        try {
          entry.panel.unmount();
        } catch {
          // it is given up in any case
        }
        this.broken(entry.name, entry.host, error);
      }
    }
  }

  /** @param {string} name @param {HTMLElement} host @param {unknown} error */
  broken(name, host, error) {
    host.classList.add("broken");
    console.error(`panel ${name}:`, error);
    this.lab.say(`The panel “${name}” has failed and stands still. The recording and the other panels go on. Reload the page when there is time.`, true);
  }
}
