// The connection to the server. It connects again by itself, and answers clock
// pings before anything else is done.

import {tick} from './protocol.js';

/** @import {PageMessage, ServerMessage, Hello} from './protocol.js' */

/** How long to wait before connecting again, ms. */
const RETRY = 500;

/** The server pings every second; so much silence is a lost connection, ms. */
const SILENCE = 5000;

/** Reports that may wait for the next connection. A minute of clip has at most 1,500. */
const KEPT = 2000;

export class Link {
  /**
   * @param {() => Promise<Hello>} hello what to say first, on each connection
   * @param {(m: ServerMessage) => void} receive every message but pings
   * @param {() => void} lost the connection ended
   */
  constructor(hello, receive, lost) {
    this.hello = hello;
    this.receive = receive;
    this.lost = lost;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.heard = 0;
    /** @type {PageMessage[]} */
    this.kept = [];
    setInterval(() => this.#watch(), 1000);
  }

  connect() {
    const url = new URL('/ws/stage', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    this.socket = socket;
    this.heard = performance.now();
    socket.onopen = async () => {
      const hello = JSON.stringify(await this.hello());
      this.heard = performance.now(); // the server has had nothing to answer until now
      if (socket.readyState === WebSocket.OPEN) socket.send(hello);
    };
    socket.onmessage = (e) => {
      const rx = tick();
      this.heard = performance.now();
      /** @type {ServerMessage} */
      const m = JSON.parse(e.data);
      if (m.type === 'ping') {
        if (socket.readyState !== WebSocket.OPEN) return; // a page that was frozen reads old pings
        socket.send(JSON.stringify({type: 'pong', id: m.id, rx, tx: tick()}));
        this.#flush(); // a ping means that the server has accepted this page
        return;
      }
      this.receive(m);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.lost();
      setTimeout(() => this.connect(), RETRY);
    };
  }

  /**
   * Sends m now, or drops it when there is no connection.
   * @param {PageMessage} m
   */
  send(m) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(m));
  }

  /**
   * Sends an observation. Without a connection it is kept for the next one:
   * what was displayed was displayed.
   * @param {PageMessage} m
   */
  report(m) {
    if (this.socket?.readyState === WebSocket.OPEN && this.kept.length === 0) {
      this.send(m);
    } else if (this.kept.length < KEPT) {
      this.kept.push(m);
    }
  }

  #flush() {
    for (const m of this.kept.splice(0)) this.send(m);
  }

  /** Ends the connection, if there is one, and makes another. */
  again() {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.close();
  }

  /** Ends a connection that has died without a word. */
  #watch() {
    if (this.socket?.readyState === WebSocket.OPEN && performance.now() - this.heard > SILENCE) {
      this.socket.close();
    }
  }
}
