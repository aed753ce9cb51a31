/* Keeps a watch supplied until it is over: connects, comes back, falls back, asks in between. */

import { Access } from "./access.js";
import { backoff } from "./backoff.js";
import { Ladder } from "./ladder.js";
import { Poll } from "./poll.js";
import { isFinal } from "./requests.js";
import { Sockets } from "./socket.js";
import { Streams } from "./stream.js";

const STEADY = 30_000; // milliseconds after which a connection was a good one, said it anything or not
const TOP_AGAIN = 60_000; // milliseconds after which a client that only polls tries the rest again

export class Following {
  #watches = new Set();

  constructor(client, { ticket, ...pace }) {
    this.access = new Access(client.requests, ticket);
    this.waits = client.requests.waits;
    this.ladder = new Ladder();
    this.sockets = new Sockets(this.access, this.ladder);
    this.streams = new Streams(this.access, this.ladder);
    this.poll = new Poll(client, pace);
    globalThis.addEventListener?.("online", () => this.#again());
    globalThis.document?.addEventListener("visibilitychange", () => document.hidden || this.#again());
  }

  start(watch) {
    this.#watches.add(watch);
    watch.over.addEventListener("abort", () => this.#watches.delete(watch), { once: true });
    if (this.access.mayAsk) this.poll.follow(watch);
    this.#hear(watch);
    return watch;
  }

  async #hear(watch) {
    for (let attempt = 0; !watch.over.aborted; attempt++) {
      const way = this.#way(watch);
      const began = Date.now();
      try {
        await this.#follow(way, watch);
      } catch (error) {
        if (watch.heardAt >= began || Date.now() - began > STEADY) attempt = 0;
        this.#lost(watch, error);
        watch.polledAt = 0; // whatever was missed, and whether the job is there at all
        await this.waits.pause(backoff(attempt), watch.over);
      }
    }
  }

  /** Who may not ask learns from the refusal that it will not change. */
  #lost(watch, error) {
    if (!this.access.mayAsk && isFinal(error)) watch.fail(error);
    if (watch.live) watch.become("waiting");
  }

  #way(watch) {
    const chosen = this.ladder.choose(watch.transport);
    const way = chosen === "websocket" && !watch.hasSocket ? "sse" : chosen;
    return way === "sse" && watch.transport === "auto" && !this.streams.hasRoom ? "poll" : way;
  }

  async #follow(way, watch) {
    if (way === "websocket") return this.sockets.follow(watch);
    if (way === "sse") return this.streams.follow(watch);
    await this.waits.pause(TOP_AGAIN, watch.over);
    return this.ladder.reset();
  }

  /** Somebody looks again, or the network is back. */
  #again() {
    this.ladder.reset();
    for (const watch of this.#watches) if (!watch.live) watch.polledAt = 0;
    this.waits.wake();
  }
}
