// What the server asks for in a step that it leads, in order.

/** @import {Order} from './protocol.js' */

export class Orders {
  constructor() {
    /** @type {Order[]} */
    this.waiting = [];
    this.wake = () => {};
  }

  /** @param {Order} order */
  push(order) {
    this.waiting.push(order);
    this.wake();
  }

  clear() {
    this.waiting = [];
  }

  /**
   * Waits for the next order. It rejects when signal is aborted.
   * @param {AbortSignal} signal
   * @returns {Promise<Order>}
   */
  async next(signal) {
    for (;;) {
      signal.throwIfAborted();
      const order = this.waiting.shift();
      if (order) return order;
      const over = new AbortController();
      await new Promise((resolve) => {
        this.wake = () => resolve(undefined);
        signal.addEventListener('abort', this.wake, {signal: over.signal});
      });
      over.abort();
    }
  }
}
