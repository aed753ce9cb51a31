/* One watch over a job, or over many: what was heard, in order and once, until its end. */

export const FINAL = new Set(["completed", "failed", "cancelled"]);
const ENDS = new Set(["job.completed", "job.failed", "job.cancelled", "job.snapshot"]);
const MOST_REMEMBERED = 1000;
const GRACE = 1000; // milliseconds in which the event that ends a job may follow its status

/** Iterate over it for the events, or await `ended` for the job as it was at its end. */
export class Watch {
  #known = new Map(); // the newest document of each job
  #seen = new Set(); // events that were delivered
  #unread = null;
  #arrived = () => {};
  #over = new AbortController();
  #settle;

  /** `filter`: `{ job_id }`, `{ batch_id }`, `{ owner }` or `{}`. */
  constructor(filter, { onEvent, onState, signal, transport = "auto" } = {}) {
    Object.assign(this, { filter, onEvent, onState, transport });
    this.jobId = filter.job_id ?? null;
    this.after = null; // the place in the stream of what was heard last
    this.heardAt = Date.now();
    this.hasSocket = true; // until the shared one refuses to carry it
    this.polledAt = transport === "poll" ? 0 : Date.now();
    this.state = "connecting";
    this.error = null;
    this.ended = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ended.catch(() => {}); // whoever awaits it hears of it; nobody has to
    if (signal?.aborted) this.stop();
    signal?.addEventListener("abort", () => this.stop(), { signal: this.over });
  }

  /** Aborted once there is nothing more to hear. */
  get over() {
    return this.#over.signal;
  }

  get job() {
    return this.#known.get(this.jobId) ?? null;
  }

  get live() {
    return this.state === "live";
  }

  /** An event as the server sent it, by whatever way. Passed on unless it was before. */
  hear(event) {
    if (this.over.aborted) return;
    if (event.id) this.after = event.id;
    if (event.event === "stream.end") this.#endOfStream();
    else if (this.#isNew(event) && this.#take(event)) this.heardAt = Date.now();
  }

  /** A job as it was read, not heard of. Whether that was news. */
  see(job) {
    const before = this.#known.get(job.id);
    if (this.over.aborted || (before && !differs(before, job))) return false;
    const { payload, result, ...data } = job;
    this.#take({ event: nameOf(before, job), timestamp: job.updated_at, id: null, data, polled: true });
    return true;
  }

  /** A place in line stands in no stream: all that are told while it is quiet have one id. */
  #isNew(event) {
    if (event.event === "job.position") return this.#isMoved(event.data);
    const mark = `${event.id} ${event.event} ${event.data?.id}`;
    const repeated = event.id && event.event !== "job.snapshot" && this.#seen.has(mark);
    remember(this.#seen, mark);
    return !repeated;
  }

  #isMoved(job) {
    return this.#known.get(job.id)?.position !== job.position;
  }

  /** Whether it was about what is watched, and not older than what is known. */
  #take(event) {
    const job = event.data ?? {};
    if (this.jobId && job.id !== this.jobId) return false;
    if (job.updated_at < this.#known.get(job.id)?.updated_at) return false;
    if (job.id && event.event.startsWith("job.")) this.#note(job);
    this.#pass(event);
    this.#lookForTheEnd(event, job);
    return true;
  }

  #note(job) {
    const known = { ...this.#known.get(job.id), ...job };
    this.#known.delete(job.id);
    this.#known.set(job.id, known);
    if (this.#known.size > MOST_REMEMBERED) this.#known.delete(this.#known.keys().next().value);
  }

  #pass(event) {
    this.#unread?.push(event);
    this.#arrived();
    try {
      this.onEvent?.(event);
    } catch (error) {
      reportError(error); // the listener's own; the watch goes on
    }
  }

  #lookForTheEnd(event, job) {
    if (this.filter.batch_id && event.event === "batch.completed") this.#finish(job);
    if (!this.jobId || !FINAL.has(job.status)) return;
    if (ENDS.has(event.event)) this.#finish(this.job);
    else setTimeout(() => this.#finish(this.job), GRACE);
  }

  /** The server has nothing more to say. Where we do not know the end, it is asked for. */
  #endOfStream() {
    if (FINAL.has(this.job?.status)) this.#finish(this.job);
    else this.polledAt = 0;
  }

  become(state) {
    if (this.over.aborted || state === this.state) return;
    this.state = state;
    this.onState?.(state);
  }

  #finish(job) {
    this.#settle.resolve(job);
    this.#close();
  }

  fail(error) {
    if (this.over.aborted) return;
    this.error = error;
    this.#settle.reject(error);
    this.#close();
  }

  /** Hear no more. `ended` rejects with an AbortError if the end had not come yet. */
  stop() {
    this.#settle.reject(new DOMException("The watch was stopped.", "AbortError"));
    this.#close();
  }

  #close() {
    if (!this.over.aborted && this.state !== "ended") this.become("ended");
    this.#over.abort();
    this.#arrived();
  }

  /** The events from now on, first the newest state that is known already. Raises what `ended`
   *  raises, but ends quietly when the watch was stopped. */
  async *[Symbol.asyncIterator]() {
    this.#unread = [...this.#known.values()].map(asSnapshot);
    try {
      for (;;) {
        while (this.#unread.length) yield this.#unread.shift();
        if (this.over.aborted) break;
        await new Promise((resolve) => (this.#arrived = resolve));
      }
      if (this.error) throw this.error;
    } finally {
      this.#unread = null;
      this.stop();
    }
  }
}

function asSnapshot(job) {
  return { event: "job.snapshot", timestamp: job.updated_at, id: null, data: job };
}

function remember(seen, mark) {
  seen.add(mark);
  if (seen.size > MOST_REMEMBERED) seen.delete(seen.values().next().value);
}

function differs(before, job) {
  if (job.updated_at < before.updated_at) return false;
  return ["updated_at", "status", "progress", "progress_message", "position"].some(
    (key) => job[key] !== undefined && before[key] !== job[key],
  );
}

const NAMES = { queued: "job.queued", processing: "job.started", completed: "job.completed",
  failed: "job.failed", cancelled: "job.cancelled" }; // prettier-ignore

/** What the server would have called this change. */
function nameOf(before, job) {
  if (!before) return "job.snapshot";
  if (before.status === job.status) {
    if (before.position !== job.position && job.position) return "job.position";
    return job.status === "processing" ? "job.progress" : "job.snapshot";
  }
  if (job.status === "scheduled" && job.retry_count > 0) return "job.retrying";
  return NAMES[job.status] ?? "job.snapshot";
}
