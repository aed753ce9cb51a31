/* Asking for the state: all that is left where nothing live works, and now and then the proof that
   something live still does. */

import { isFinal } from "./requests.js";

const TICK = 250;
const SLOWEST = 10_000;
const MOST_A_MINUTE = 40; // of one client; the server's limit for all of a tenant is 100
const GROWTH = 1.5;
const WHEN_HIDDEN = 5;

export class Poll {
  #watches = new Set();

  constructor(client, { pollSeconds = 2, safetySeconds = 30 } = {}) {
    this.client = client;
    this.first = pollSeconds * 1000;
    this.safety = safetySeconds * 1000;
  }

  /** Asks as often as is fitting until the watch is over. Never rejects. */
  async follow(watch) {
    this.#watches.add(watch);
    let wait = this.first;
    while (!watch.over.aborted) {
      if (Date.now() >= this.#due(watch, wait)) {
        const news = await this.#ask(watch);
        wait = news ? this.first : Math.min(SLOWEST, wait * GROWTH);
      } else {
        await this.client.requests.waits.pause(TICK, watch.over);
      }
    }
    this.#watches.delete(watch);
  }

  #due(watch, wait) {
    if (watch.polledAt === 0) return 0;
    const crowd = (this.#watches.size * 60_000) / MOST_A_MINUTE;
    if (watch.live) return Math.max(watch.heardAt, watch.polledAt) + Math.max(this.safety, crowd);
    const hidden = globalThis.document?.hidden ? WHEN_HIDDEN : 1;
    return watch.polledAt + hidden * Math.max(wait, crowd);
  }

  async #ask(watch) {
    watch.polledAt = Date.now();
    try {
      const jobs = await this.#read(watch);
      const news = jobs.filter((job) => watch.see(job));
      if (watch.filter.batch_id) await this.#askForBatch(watch);
      if (!watch.live) watch.become("polling");
      return news.length > 0;
    } catch (error) {
      if (!watch.over.aborted) this.#refused(watch, error);
      return false;
    }
  }

  async #read(watch) {
    const signal = watch.over;
    if (watch.jobId) return [await this.client.get(watch.jobId, { signal })];
    const page = await this.client.list({ ...watch.filter, limit: 100 }, { signal });
    // Oldest first, as they would have been heard. A list knows no positions.
    return page.items.reverse().map(({ position, ...job }) => job);
  }

  async #askForBatch(watch) {
    const batch = await this.client.batch(watch.filter.batch_id, { signal: watch.over });
    if (!batch.finished_at) return;
    const event = { event: "batch.completed", timestamp: batch.finished_at, id: null };
    watch.hear({ ...event, data: batch, polled: true });
  }

  /** Only an answer that will not change ends the watch. */
  #refused(watch, error) {
    if (isFinal(error)) watch.fail(error);
    else watch.become("waiting");
  }
}
