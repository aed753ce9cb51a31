/* Celeriac's client for browsers: hand jobs in, watch them, await their end. No dependency.

     import { Celeriac } from "/static/celeriac/celeriac.js";
     const celeriac = new Celeriac();
     const job = await celeriac.create("notes.text", { content: "…" });
     for await (const event of celeriac.watch(job.id)) show(event.data.progress);

   The types are in celeriac.d.ts, the manual is docs/howto/browser-client.md. */

import { Following } from "./client/following.js";
import { Requests, newKey } from "./client/requests.js";
import { Watch } from "./client/watch.js";

export { CeleriacError } from "./client/requests.js";
export { FINAL } from "./client/watch.js";

export class Celeriac {
  #following;

  constructor({ ticket, pollSeconds, safetySeconds, ...options } = {}) {
    this.requests = new Requests(options);
    this.#following = new Following(this, { ticket, pollSeconds, safetySeconds });
  }

  /** Hand a job in. `options` are the fields of `POST /jobs` by their own names. However often it
   *  has to be sent, one job comes of it. */
  create(type, payload, { idempotencyKey = newKey(), signal, ...options } = {}) {
    const body = { type, payload, ...options };
    return this.requests.send("POST", "/jobs", { body, key: idempotencyKey, signal });
  }

  get(id, { signal } = {}) {
    return this.requests.send("GET", job(id), { signal });
  }

  cancel(id, { signal } = {}) {
    return this.requests.send("POST", `${job(id)}/cancel`, { signal });
  }

  /** Run a failed or cancelled job again, with another `payload` if there is one. */
  retry(id, { payload, signal } = {}) {
    const body = payload === undefined ? undefined : { payload };
    return this.requests.send("POST", `${job(id)}/retry`, { body, signal });
  }

  /** One page: `{ items, next_cursor }`. */
  list(filters = {}, { signal } = {}) {
    return this.requests.send("GET", "/jobs", { query: filters, signal });
  }

  batch(id, { signal } = {}) {
    return this.requests.send("GET", `/batches/${encodeURIComponent(id)}`, { signal });
  }

  jobTypes({ signal } = {}) {
    return this.requests.send("GET", "/job-types", { signal });
  }

  stats({ signal } = {}) {
    return this.requests.send("GET", "/stats", { signal });
  }

  queues({ signal } = {}) {
    return this.requests.send("GET", "/queues", { signal });
  }

  /** Hear of a job until it has ended. */
  watch(id, options = {}) {
    return this.#following.start(new Watch({ job_id: String(id) }, options));
  }

  /** Hear of every job of a batch (until it is complete), of an owner, or of all. */
  watchAll({ batch_id, owner } = {}, options = {}) {
    const filter = JSON.parse(JSON.stringify({ batch_id, owner })); // without what is not given
    return this.#following.start(new Watch(filter, options));
  }

  /** The whole job, with its result, once it has ended: completed, failed or cancelled. */
  async wait(id, options = {}) {
    await this.watch(id, options).ended;
    return this.get(id, options);
  }
}

function job(id) {
  return `/jobs/${encodeURIComponent(id)}`;
}
