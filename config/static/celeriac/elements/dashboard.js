/* <celeriac-dashboard>: what waits, runs and has ended, live. */

import { CLIENT_ATTRIBUTES, CeleriacElement } from "./base.js";
import { make, write, writeOrHide } from "./building.js";
import { Figures } from "./figures.js";
import { JobList } from "./job_list.js";
import { QueueList } from "./queue_list.js";

const SOONEST = 5000; // milliseconds from one look at the figures to the next
const LATEST = 15_000;
const LIST_SOONEST = 1000;
const ENDS = new Set(["job.completed", "job.failed", "job.cancelled"]);
const IN_WORDS = {
  connecting: "connecting", live: "live", polling: "asking", waiting: "no connection", ended: "stopped",
}; // prettier-ignore

/** Attributes beside those of the client: `limit` jobs (10), `owner`, `batch-id`, `heading`. Events:
 *  `celeriac-event`, `celeriac-ended` for each job that ends, `celeriac-error`. */
export class CeleriacDashboard extends CeleriacElement {
  static observedAttributes = ["limit", "owner", "batch-id", "heading", "transport", ...CLIENT_ATTRIBUTES];

  #heading = make("h2", "", { part: "heading" });
  #state = make("span", "state", { part: "state", role: "status" });
  #error = make("p", "error", { part: "error", role: "alert", hidden: true });
  #figures = new Figures();
  #jobs = new JobList();
  #queues = new QueueList();
  #stale = true;

  constructor() {
    super();
    this.shadowRoot.append(
      make("section", "board", { part: "board" },
        make("header", "", {}, this.#heading, this.#state),
        this.#error, this.#figures.node,
        make("div", "halves", {}, this.#jobs.node, this.#queues.node),
      ),
    ); // prettier-ignore
  }

  start(over) {
    write(this.#heading, this.getAttribute("heading") ?? "Jobs");
    this.#jobs.reset(Number(this.getAttribute("limit")) || 10);
    this.#stale = true;
    this.#watch(over);
    this.#keepList(over);
    this.#figures.node.hidden = this.#isNarrow;
    if (this.#isNarrow) this.#queues.show([]);
    else this.#keepFigures(over);
  }

  get #filter() {
    const filter = { owner: this.getAttribute("owner"), batch_id: this.getAttribute("batch-id") };
    return Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
  }

  /** The figures are of all that the caller may see, so a board of less goes without. */
  get #isNarrow() {
    return Object.keys(this.#filter).length > 0;
  }

  #watch(over) {
    this.#showState("connecting");
    const watch = this.client.watchAll(this.#filter, {
      transport: this.getAttribute("transport") ?? "auto", signal: over,
      onEvent: (event) => this.#hear(event),
      onState: (state) => over.aborted || this.#showState(state),
    }); // prettier-ignore
    watch.ended.catch((error) => over.aborted || this.#fail(error));
  }

  #hear(event) {
    if (event.gap) this.#stale = true;
    if (event.event.startsWith("job.")) this.#hearOfJob(event);
    this.tell("event", event);
  }

  #hearOfJob(event) {
    const news = this.#jobs.take(event.data);
    if (news && ENDS.has(event.event)) this.tell("ended", { job: event.data });
  }

  #showState(state) {
    // What came in between was not heard: the list is read again.
    if (state === "live") this.#stale = true;
    this.#state.dataset.state = state;
    write(this.#state, IN_WORDS[state]);
  }

  async #keepFigures(over) {
    const { waits } = this.client.requests;
    while (!over.aborted) {
      const looked = Date.now();
      if (!document.hidden) await Promise.all([this.#readStats(over), this.#readQueues(over)]);
      const heard = this.#jobs.heard;
      await waits.pause(SOONEST, over);
      while (!over.aborted && heard === this.#jobs.heard && Date.now() - looked < LATEST) {
        await waits.pause(LIST_SOONEST, over);
      }
    }
  }

  async #keepList(over) {
    while (!over.aborted) {
      if (this.#stale && !document.hidden) await this.#readList(over);
      this.#jobs.refreshAges();
      await this.client.requests.waits.pause(LIST_SOONEST, over);
    }
  }

  async #readList(over) {
    this.#stale = false;
    await this.#read(over, async () => {
      const page = await this.client.list({ ...this.#filter, limit: this.#jobs.limit }, { signal: over });
      for (const job of page.items) this.#jobs.take(job);
    });
  }

  #readStats(over) {
    return this.#read(over, async () => this.#figures.show(await this.client.stats({ signal: over })));
  }

  /** Who may not see queues gets a board without them. */
  async #readQueues(over) {
    await this.#read(over, async () => {
      try {
        this.#queues.show((await this.client.queues({ signal: over })).items);
      } catch (error) {
        if (error.status !== 403) throw error;
        this.#queues.show([]);
      }
    });
  }

  async #read(over, look) {
    try {
      await look();
      if (!over.aborted) writeOrHide(this.#error, "");
    } catch (error) {
      if (!over.aborted) this.#fail(error);
    }
  }

  #fail(error) {
    writeOrHide(this.#error, error.message);
    this.tell("error", { error });
  }
}
