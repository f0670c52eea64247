// Messages of the server that a step waits for, in order.

/** @template T */
export class Inbox {
  constructor() {
    /** @type {T[]} */
    this.waiting = [];
    this.wake = () => {};
  }

  /** @param {T} message */
  push(message) {
    this.waiting.push(message);
    this.wake();
  }

  clear() {
    this.waiting = [];
  }

  /**
   * Waits for the next message. It rejects when signal is aborted.
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   */
  async next(signal) {
    for (;;) {
      signal.throwIfAborted();
      const message = this.waiting.shift();
      if (message !== undefined) return message;
      const over = new AbortController();
      await new Promise((resolve) => {
        this.wake = () => resolve(undefined);
        signal.addEventListener('abort', this.wake, {signal: over.signal});
      });
      over.abort();
    }
  }
}
