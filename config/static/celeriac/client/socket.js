/* WebSockets: one for all the jobs that a client watches, one for each watch over many. */

import { backoff } from "./backoff.js";
import { CeleriacError } from "./requests.js";

const SLOWEST_OPENING = 10_000;
const LINGER = 1000; // milliseconds that an idle connection is kept for the next watch
const MAY_NO_MORE = 1008;
const COME_AGAIN = new Set([1012, 1013]); // the server stops, or its database is away

export class Sockets {
  #shared = null;

  constructor(access, ladder) {
    this.access = access;
    this.ladder = ladder;
  }

  /** Lets the watch hear. Resolves when it is over, rejects when the connection is lost. */
  async follow(watch) {
    const line = this.#isShared(watch) ? this.#sharedLine() : this.#ownLine(watch);
    try {
      await line.carry(watch);
    } finally {
      line.leave(watch);
    }
  }

  /** A given ticket is for one filter, so its connection is for one watch. */
  #isShared(watch) {
    return watch.jobId !== null && this.access.mayAsk;
  }

  /** It is told of the jobs that its watches name, and of no other. */
  #sharedLine() {
    if (!this.#shared || this.#shared.isLost) this.#shared = this.#line({}, { only: "named" }, true);
    return this.#shared;
  }

  #ownLine(watch) {
    return this.#line(watch.filter, { after: watch.after }, false);
  }

  #line(filter, more, byName) {
    const address = (signal) => this.access.socketAddress(filter, more, signal);
    return new Line(address, byName, this.ladder, this.access.requests.waits);
  }
}

/** One connection and the watches that hear by it. `byName`: each has to name its job. */
class Line {
  #watches = new Map(); // and what to call when one is refused
  #heard = false;
  #socket = null;
  #lost = new AbortController();

  constructor(address, byName, ladder, waits) {
    Object.assign(this, { byName, ladder, waits });
    this.opened = this.#open(address);
    this.opened.catch((error) => this.#lose(error));
  }

  get isLost() {
    return this.#lost.signal.aborted;
  }

  async carry(watch) {
    this.#watches.set(watch, () => {});
    watch.over.throwIfAborted();
    await Promise.race([this.opened, aborted(watch.over)]);
    for (let attempt = 0; !watch.over.aborted; attempt++) {
      const refused = await Promise.race([aborted(watch.over), this.#loss(), this.#begin(watch)]);
      if (!refused) return;
      this.#heed(refused, watch);
      await this.waits.pause(backoff(attempt), watch.over);
    }
  }

  /** Resolves with the refusal, if there is one. */
  #begin(watch) {
    const refusal = new Promise((resolve) => this.#watches.set(watch, resolve));
    if (this.byName) this.#say({ subscribe: { job_id: watch.jobId }, after: watch.after ?? undefined });
    // Whoever goes on from where it was is told nothing if nothing happened meanwhile.
    if (watch.jobId === null || watch.after) watch.become("live");
    return refusal;
  }

  /** Only "not now" is worth asking here again. */
  #heed(refused, watch) {
    const error = new CeleriacError(refused);
    if (error.passes) return watch.become("waiting");
    if (error.status === 422) watch.hasSocket = false;
    else watch.fail(error);
    throw error;
  }

  leave(watch) {
    this.#watches.delete(watch);
    if (this.byName) this.#unsay(watch.jobId);
    if (this.#watches.size === 0) setTimeout(() => this.#closeIfIdle(), LINGER);
  }

  /** Unless another watch is about the same job. */
  #unsay(jobId) {
    const isWanted = [...this.#watches.keys()].some((watch) => watch.jobId === jobId);
    if (!isWanted) this.#say({ unsubscribe: { job_id: jobId } });
  }

  #closeIfIdle() {
    if (this.#watches.size === 0) this.#lose(new Error("No one listens."));
  }

  #loss() {
    const { signal } = this.#lost;
    return aborted(signal).then(() => Promise.reject(signal.reason));
  }

  async #open(address) {
    const tooSlow = setTimeout(() => this.#lose(new Error("Too slow to open.")), SLOWEST_OPENING);
    try {
      const place = await Promise.race([address(this.#lost.signal), this.#loss()]);
      this.#socket = new WebSocket(place);
      this.#socket.onmessage = (message) => this.#hear(message.data);
      this.#socket.onclose = ({ code }) => this.#closed(code);
      const open = new Promise((resolve) => (this.#socket.onopen = resolve));
      await Promise.race([open, this.#loss()]);
    } finally {
      clearTimeout(tooSlow);
    }
  }

  #closed(code) {
    if (code === MAY_NO_MORE) for (const watch of this.#watches.keys()) watch.fail(unknownCaller());
    this.#heard ||= COME_AGAIN.has(code);
    this.#lose(new Error("The connection was closed."));
  }

  #lose(error) {
    if (this.isLost) return;
    if (!this.#heard && this.#watches.size > 0) this.ladder.failed("websocket");
    this.#lost.abort(error);
    this.#socket?.close();
  }

  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Each watch takes what it is about. */
  #hear(text) {
    const event = eventOf(text);
    if (!event) return;
    if (!this.#heard) this.ladder.worked("websocket");
    this.#heard = true;
    for (const [watch, refuse] of [...this.#watches]) {
      if (!isFor(watch, event)) continue;
      if (event.event === "error") refuse(event.data);
      else this.#tell(watch, event);
    }
  }

  #tell(watch, event) {
    watch.become("live");
    watch.hear(event);
  }
}

/** As the server would answer the next request. */
function unknownCaller() {
  const detail = "The token, or the session, is no longer good.";
  return new CeleriacError({ status: 401, title: "Unauthorized", detail });
}

/** Null for what is none: the connection may carry other words. */
function eventOf(text) {
  try {
    const event = JSON.parse(text);
    return typeof event?.event === "string" ? event : null;
  } catch {
    return null;
  }
}

function isFor(watch, event) {
  return watch.jobId === null || (event.data?.id ?? event.data?.job_id) === watch.jobId;
}

function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", resolve, { once: true });
  });
}
