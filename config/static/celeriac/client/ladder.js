/* Which way to hear by: WebSocket, else server-sent events, else asking again and again. */

const MOST_FAILURES = 2; // in a row, before a way is given up for the next
const WAYS = ["websocket", "sse"];

export class Ladder {
  #failures = { websocket: 0, sse: 0 };

  choose(wanted) {
    if (wanted !== "auto") return wanted;
    return WAYS.find((way) => this.#failures[way] < MOST_FAILURES) ?? "poll";
  }

  failed(way) {
    this.#failures[way] += 1;
  }

  worked(way) {
    this.#failures[way] = 0;
  }

  /** Begin at the top again: the network is another one, or some time has passed. */
  reset() {
    this.#failures = { websocket: 0, sse: 0 };
  }
}
