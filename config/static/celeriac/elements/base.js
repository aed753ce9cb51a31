/* What both elements have in common: a shadow root, a client, attributes that start them anew. */

import { CLIENT_ATTRIBUTES, clientOf } from "./clients.js";
import { look } from "./look.js";

export class CeleriacElement extends HTMLElement {
  #client = null;
  #planned = false;
  #over = null;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [look()];
  }

  /** A `Celeriac` of the page's own; without one the attributes say how to reach the server. */
  get client() {
    return this.#client ?? clientOf(this);
  }

  set client(client) {
    this.#client = client;
    this.restart();
  }

  connectedCallback() {
    this.restart();
  }

  disconnectedCallback() {
    this.#over?.abort();
  }

  attributeChangedCallback(name, before, after) {
    if (before !== after) this.restart();
  }

  /** Once, after all the attributes and properties of this moment are set. */
  restart() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#over?.abort();
      if (!this.isConnected) return;
      this.#over = new AbortController();
      this.start(this.#over.signal);
    });
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`celeriac-${name}`, { detail, bubbles: true, composed: true }));
  }
}

export { CLIENT_ATTRIBUTES };
