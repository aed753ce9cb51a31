/* How the live ways are entered: a WebSocket cannot carry a token, a ticket it can. */

export class Access {
  /** `ticket`: a function from a filter to a ticket, for pages that hold no token at all. */
  constructor(requests, ticket) {
    this.requests = requests;
    this.given = ticket;
  }

  /** Without a token of its own a page may hear, and not ask. */
  get mayAsk() {
    return !this.given;
  }

  /** `more`: of the query, what a ticket is not asked for with. */
  async socketAddress(filter, more, signal) {
    const ticket = this.requests.bySession && this.mayAsk ? {} : await this.#ticket(filter, signal);
    return this.requests.socketAddress({ ...filter, ...more, ...ticket });
  }

  /** The answer to `GET /events`, its body unread. */
  async stream(filter, after, signal) {
    const ticket = this.mayAsk ? {} : await this.#ticket(filter, signal);
    const headers = { Accept: "text/event-stream" };
    if (after) headers["Last-Event-ID"] = after;
    return this.requests.open("GET", "/events", { query: { ...filter, ...ticket }, headers, signal });
  }

  async #ticket(filter, signal) {
    if (this.given) return { ticket: await this.given(filter) };
    const answer = await this.requests.send("POST", "/events/ticket", { body: filter, signal });
    return { ticket: answer.ticket };
  }
}
