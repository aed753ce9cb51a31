/* <celeriac-job job-id="…">: one job, live, with what may be done to it. */

import { FINAL } from "../celeriac.js";
import { CLIENT_ATTRIBUTES, CeleriacElement } from "./base.js";
import { Bar, Pill, make, span, write, writeOrHide } from "./building.js";

const AGAIN = new Set(["failed", "cancelled"]);

/** Events: `celeriac-event` with each event, `celeriac-ended` with the job, `celeriac-error`. */
export class CeleriacJob extends CeleriacElement {
  static observedAttributes = ["job-id", "readonly", "transport", ...CLIENT_ATTRIBUTES];

  #type = make("strong", "type", { part: "type" });
  #pill = new Pill({ role: "status" });
  #bar = new Bar();
  #message = make("span", "message", { part: "message" });
  #percent = make("span", "percent quiet");
  #error = make("p", "error", { part: "error", role: "alert", hidden: true });
  #cancel = make("button", "", { type: "button", part: "button cancel", hidden: true }, "Cancel");
  #retry = make("button", "", { type: "button", part: "button retry", hidden: true }, "Retry");
  #job = null;
  #over = null;

  constructor() {
    super();
    this.#cancel.addEventListener("click", () => this.cancel());
    this.#retry.addEventListener("click", () => this.retry());
    this.shadowRoot.append(
      make("section", "card", { part: "card", "aria-label": "Job" },
        make("header", "", {}, this.#type, this.#pill.node),
        this.#bar.node,
        this.#error,
        make("footer", "", {}, this.#message, this.#percent, this.#cancel, this.#retry),
      ),
    ); // prettier-ignore
  }

  get jobId() {
    return this.getAttribute("job-id") ?? "";
  }

  set jobId(id) {
    this.setAttribute("job-id", id);
  }

  /** The newest state, without payload and result; null until something was heard. */
  get job() {
    return this.#job;
  }

  start(over) {
    this.#over = over;
    this.#job = null;
    this.#show();
    if (this.jobId) this.#watch(over);
  }

  async #watch(over) {
    const transport = this.getAttribute("transport") ?? "auto";
    this.setAttribute("state", "connecting");
    const watch = this.client.watch(this.jobId, {
      transport, signal: over,
      onEvent: (event) => over.aborted || this.#hear(event, watch.job),
      onState: (state) => over.aborted || this.setAttribute("state", state),
    }); // prettier-ignore
    try {
      await watch.ended;
      this.tell("ended", { job: this.#job });
    } catch (error) {
      if (!over.aborted) this.#fail(error);
    }
  }

  #hear(event, job) {
    this.#job = { ...job };
    this.#show();
    this.tell("event", event);
  }

  async cancel() {
    await this.#act(this.#cancel, () => this.client.cancel(this.jobId, { signal: this.#over }));
  }

  async retry() {
    const done = await this.#act(this.#retry, () =>
      this.client.retry(this.jobId, { signal: this.#over }),
    );
    if (done) this.restart();
  }

  async #act(button, call) {
    const over = this.#over;
    button.disabled = true;
    try {
      this.#job = await call();
      this.#show();
      return true;
    } catch (error) {
      if (!over.aborted) this.#fail(error);
      return false;
    } finally {
      button.disabled = false;
    }
  }

  #fail(error) {
    writeOrHide(this.#error, error.status === 404 ? "There is no such job." : error.message);
    this.tell("error", { error });
  }

  #show() {
    const job = this.#job ?? { type: "…", status: "loading", progress: 0 };
    const asked = job.cancel_requested_at && !FINAL.has(job.status);
    write(this.#type, job.type);
    this.#pill.show(job.status, asked ? "cancelling" : job.status);
    this.#bar.show(job);
    write(this.#message, messageOf(job));
    write(this.#percent, job.status === "processing" ? `${Math.round(job.progress)} %` : "");
    writeOrHide(this.#error, job.error?.message);
    this.#offer(job, asked);
  }

  #offer(job, asked) {
    const inControl = this.#job !== null && !this.hasAttribute("readonly");
    this.#cancel.hidden = !inControl || FINAL.has(job.status) || Boolean(asked);
    this.#retry.hidden = !inControl || !AGAIN.has(job.status);
  }
}

function messageOf(job) {
  if (job.status === "queued") return placeOf(job);
  if (job.status === "scheduled") return waitOf(job);
  if (job.status === "blocked") return "waits for other jobs";
  if (job.status === "completed") return durationOf(job) || job.progress_message;
  return job.progress_message;
}

function placeOf(job) {
  if (!job.position) return "waits its turn";
  const many = job.position_exact === false;
  const place = many ? `over ${job.position - 1} before it` : `number ${job.position} in line`;
  const wait = job.estimated_wait_seconds;
  return wait === null || wait === undefined ? place : `${place}, about ${span(wait)}`;
}

function waitOf(job) {
  const moment = job.next_retry_at ?? job.visible_at ?? job.run_at;
  const what = job.retry_count > 0 ? `retry ${job.retry_count}` : "starts";
  return moment ? `${what} at ${new Date(moment).toLocaleString()}` : what;
}

function durationOf(job) {
  const seconds = job.actual_duration_seconds;
  if (seconds === null || seconds === undefined) return "";
  return `took ${seconds < 10 ? `${seconds.toFixed(1)} s` : span(seconds)}`;
}
