/* The tiles of a dashboard: jobs by status, and how many end. */

import { make, write } from "./building.js";

const STATUSES = ["queued", "processing", "scheduled", "blocked", "completed", "failed", "cancelled"];
const number = new Intl.NumberFormat("en");

export class Figures {
  #counts = new Map(STATUSES.map((status) => [status, make("dd", "count")]));
  #throughput = make("p", "quiet throughput", { part: "throughput" });

  constructor() {
    const tiles = [...this.#counts].map(([status, count]) => tile(status, count));
    const list = make("dl", "tiles", { part: "tiles" }, ...tiles);
    this.node = make("div", "figures", {}, list, this.#throughput);
  }

  show(stats) {
    for (const [status, node] of this.#counts) write(node, number.format(stats.counts.status[status] ?? 0));
    write(this.#throughput, inWords(stats));
  }
}

function tile(status, count) {
  const name = make("dt", "", {}, status);
  return make("div", "tile", { part: "tile", "data-status": status }, name, count);
}

function inWords({ throughput, failure_rate: rate, wait }) {
  const parts = [
    `Ended: ${number.format(throughput.minute)} in the last minute`,
    `${number.format(throughput.hour)} in the last hour`,
    `${number.format(throughput.day)} in the last day`,
  ];
  if (rate.hour !== null) parts.push(`${(100 * rate.hour).toFixed(1)} % of the hour's failed`);
  if (wait.p50 !== null) parts.push(`half started within ${wait.p50.toFixed(1)} s`);
  return parts.join(" · ");
}
