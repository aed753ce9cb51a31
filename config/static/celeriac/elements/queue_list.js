/* How much waits in each queue of a dashboard. */

import { make } from "./building.js";

const number = new Intl.NumberFormat("en");

export class QueueList {
  #list = make("ul", "queues");

  constructor() {
    const attributes = { part: "queues", hidden: true };
    this.node = make("div", "panel", attributes, make("h3", "", {}, "Queues"), this.#list);
  }

  show(queues) {
    const waiting = queues.map(depthOf);
    const most = Math.max(1, ...waiting);
    this.#list.replaceChildren(...queues.map((queue, index) => rowOf(queue, waiting[index], most)));
    this.node.hidden = queues.length === 0;
  }
}

function depthOf(queue) {
  return Object.values(queue.depth ?? {}).reduce((sum, one) => sum + one, 0);
}

function rowOf(queue, waiting, most) {
  const fill = make("span", "fill");
  fill.style.setProperty("inline-size", `${(100 * waiting) / most}%`);
  const says = queue.paused ? "paused" : `${number.format(waiting)} waiting`;
  return make("li", "", { "data-queue": queue.name },
    make("span", "type", {}, queue.name), make("span", "quiet number", {}, says),
    make("div", "bar depth", { "aria-hidden": "true" }, fill),
  ); // prettier-ignore
}
