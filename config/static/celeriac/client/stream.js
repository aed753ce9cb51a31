/* Server-sent events, read with fetch: an EventSource could carry no token. */

import { isAway } from "./requests.js";

const MOST_STREAMS = 3; // a browser opens six connections to a host, and pages need some
const LONGEST_SILENCE = 45_000; // the server says something each 15 seconds

export class Streams {
  #open = 0;

  constructor(access, ladder) {
    this.access = access;
    this.ladder = ladder;
  }

  get hasRoom() {
    return this.#open < MOST_STREAMS;
  }

  /** Lets the watch hear. Resolves when it is over, rejects when the stream is lost. */
  async follow(watch) {
    this.#open += 1;
    const silence = new Silence(watch.over);
    try {
      const answer = await this.access.stream(watch.filter, watch.after, silence.signal);
      await this.#read(answer.body, watch, silence);
    } catch (error) {
      if (!watch.over.aborted) this.#note(watch, error);
      throw error;
    } finally {
      silence.end();
      this.#open -= 1;
    }
  }

  async #read(body, watch, silence) {
    for await (const data of messages(body, () => silence.broken())) {
      this.ladder.worked("sse");
      watch.become("live");
      watch.hear(JSON.parse(data));
      if (watch.over.aborted) return;
    }
    throw new Error("The stream ended.");
  }

  /** While the server is away no way is worse than another: the next try is by the best. */
  #note(watch, error) {
    if (isAway(error)) this.ladder.reset();
    else if (!watch.live) this.ladder.failed("sse");
  }
}

/** Gives a request up when nothing comes, or when the watch is over. */
class Silence {
  #given = new AbortController();
  #timer;

  constructor(over) {
    this.signal = AbortSignal.any ? AbortSignal.any([over, this.#given.signal]) : this.#both(over);
    this.broken();
  }

  #both(over) {
    over.addEventListener("abort", () => this.#given.abort(over.reason), { once: true });
    return this.#given.signal;
  }

  broken() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#given.abort(new Error("Silence.")), LONGEST_SILENCE);
  }

  end() {
    clearTimeout(this.#timer);
    this.#given.abort();
  }
}

/** The `data` of each event of an event stream. `alive` is called for whatever arrives. */
export async function* messages(body, alive) {
  let rest = "";
  let data = [];
  for await (const text of texts(body, alive)) {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
      if (line === "" && data.length) yield data.splice(0).join("\n");
    }
  }
}

async function* texts(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
