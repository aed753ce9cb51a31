/* The newest jobs of a dashboard, each on a row that stays the same while its job changes. */

import { Bar, Pill, make, since, write } from "./building.js";

export class JobList {
  #rows = new Map();
  #body = make("tbody");
  #empty = make("p", "quiet empty", {}, "No jobs yet.");

  constructor() {
    const head = ["Job", "Status", "Progress", "Age"].map((name) => make("th", "", { scope: "col" }, name));
    this.node = make("div", "panel", { part: "jobs" },
      make("h3", "", {}, "Newest jobs"),
      make("table", "", {}, make("thead", "", {}, make("tr", "", {}, ...head)), this.#body),
      this.#empty,
    ); // prettier-ignore
    this.reset(10);
  }

  reset(limit) {
    this.limit = limit;
    this.heard = 0; // how much was news
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#empty.hidden = false;
  }

  /** Whether this was news. */
  take(job) {
    const row = this.#rows.get(job.id);
    if (row && job.updated_at < row.job.updated_at) return false;
    this.heard += 1;
    if (row) row.show(job);
    else this.#add(job);
    return true;
  }

  /** Ids of version 7 are in the order of their making. */
  #add(job) {
    const row = new Row(job);
    const before = [...this.#rows.values()].filter((one) => one.job.id < job.id);
    const next = before.reduce((newest, one) => (!newest || one.job.id > newest.job.id ? one : newest), null);
    this.#body.insertBefore(row.node, next?.node ?? null);
    this.#rows.set(job.id, row);
    this.#empty.hidden = true;
    if (this.#rows.size > this.limit) this.#dropOldest();
  }

  #dropOldest() {
    const id = [...this.#rows.keys()].reduce((oldest, one) => (one < oldest ? one : oldest));
    this.#rows.get(id).node.remove();
    this.#rows.delete(id);
  }

  refreshAges() {
    for (const row of this.#rows.values()) row.showAge();
  }
}

class Row {
  #type = make("span", "type", { part: "type" });
  #message = make("span", "message quiet", { part: "message" });
  #pill = new Pill();
  #bar = new Bar();
  #age = make("td", "number quiet");

  constructor(job) {
    const cells = [[this.#type, this.#message], [this.#pill.node], [this.#bar.node]];
    this.node = make("tr", "", { "data-job-id": job.id },
      ...cells.map((content) => make("td", "", {}, ...content)), this.#age,
    ); // prettier-ignore
    this.show(job);
  }

  show(job) {
    this.job = job;
    write(this.#type, job.type);
    write(this.#message, job.error?.message ?? job.progress_message ?? "");
    this.#pill.show(job.status);
    this.#bar.show(job);
    this.showAge();
  }

  showAge() {
    write(this.#age, since(this.job.created_at));
  }
}
