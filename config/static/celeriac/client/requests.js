/* One HTTP request to Celeriac: who asks, when it is tried again, and what a refusal says. */

import { Waits, backoff } from "./backoff.js";

const API = "/api/v1";
const PASSING = new Set([429, 502, 503, 504]);
const AWAY = new Set([0, 502, 503, 504]);
const LONGEST_WAIT = 60_000; // a longer Retry-After is the caller's to decide about

/** What Celeriac answered instead of what was asked for (RFC 9457). `status` 0: no answer at all. */
export class CeleriacError extends Error {
  constructor({ status = 0, title = "", detail = "", errors = [], retryAfter = null }, cause) {
    super(detail || title || `HTTP ${status}`, { cause });
    this.name = "CeleriacError";
    Object.assign(this, { status, title, detail, errors, retryAfter });
  }

  /** Whether the same request may be answered another time. */
  get passes() {
    return this.status === 0 || PASSING.has(this.status) || this.retryAfter !== null;
  }
}

/** Whether nobody answers at all, or only a proxy does. That says nothing about what was asked. */
export function isAway(error) {
  return error instanceof CeleriacError && AWAY.has(error.status) && error.retryAfter === null;
}

/** Whether asking again would bring the same answer. */
export function isFinal(error) {
  return error instanceof CeleriacError && error.status >= 400 && error.status < 500 && !error.passes;
}

export class Requests {
  constructor({ baseUrl = "", token, tenant, fetch, csrf, retries = 5 } = {}) {
    this.base = new URL(baseUrl || "/", globalThis.location?.href);
    this.waits = new Waits();
    Object.assign(this, { token, tenant, csrf, retries });
    this._fetch = fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** Whether the caller is known by the browser's session alone. */
  get bySession() {
    return !this.token && !this.tenant;
  }

  /** The answer's JSON; null where there is none. Tried again where that can do no harm: `POST`
   *  after an answer that says "not now", and after none at all only with an idempotency key. */
  async send(method, path, { query, body, key, signal } = {}) {
    const harmless = method !== "POST" || key !== undefined;
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await this.open(method, path, { query, body, key, signal });
        return answer.status === 204 ? null : await answer.json();
      } catch (error) {
        const wait = this.#waitAfter(error, attempt, harmless);
        if (wait === null) throw error;
        await this.waits.pause(wait, signal);
        signal?.throwIfAborted();
      }
    }
  }

  #waitAfter(error, attempt, harmless) {
    if (!(error instanceof CeleriacError) || attempt >= this.retries) return null;
    if (!error.passes || (error.status === 0 && !harmless)) return null;
    if (error.retryAfter === null) return backoff(attempt);
    const asked = error.retryAfter * 1000;
    return asked > LONGEST_WAIT ? null : asked + Math.random() * 250;
  }

  /** The answer itself, its body unread. Raises CeleriacError unless it is a success. */
  async open(method, path, { query, body, key, signal, headers } = {}) {
    const answer = await this.#ask(this.address(path, query), {
      method,
      signal,
      headers: { ...this.#headers(method, body, key), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: this.token ? "omit" : "same-origin",
      cache: "no-store",
    });
    if (!answer.ok) throw await refusal(answer);
    return answer;
  }

  async #ask(address, options) {
    try {
      return await this._fetch(address, options);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new CeleriacError({ title: "No answer", detail: "The server does not answer." }, error);
    }
  }

  #headers(method, body, key) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key !== undefined) headers["Idempotency-Key"] = key;
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (this.tenant) headers["X-Tenant"] = this.tenant;
    if (!this.token && method !== "GET") headers["X-CSRFToken"] = this.#csrfToken();
    return headers;
  }

  /** As given, else that of the page: Django's `{% csrf_token %}`. */
  #csrfToken() {
    const given = typeof this.csrf === "function" ? this.csrf() : this.csrf;
    return given ?? globalThis.document?.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  }

  address(path, query = {}) {
    return withQuery(new URL(this.base.pathname.replace(/\/$/, "") + API + path, this.base), query);
  }

  socketAddress(query) {
    const address = new URL(this.base.pathname.replace(/\/$/, "") + "/ws/v1/events", this.base);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    return withQuery(address, query);
  }
}

function withQuery(address, query) {
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== null) address.searchParams.append(name, String(one));
    }
  }
  return address;
}

async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new CeleriacError({
    status: answer.status,
    title: text(problem.title) || answer.statusText,
    detail: text(problem.detail),
    errors: Array.isArray(problem.errors) ? problem.errors : [],
    retryAfter: seconds(answer.headers.get("Retry-After")),
  });
}

function text(value) {
  return typeof value === "string" ? value : "";
}

/** Of a Retry-After header, which holds seconds or a date. */
function seconds(value) {
  if (!value) return null;
  const wait = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** 32 hexadecimal digits by chance. Not randomUUID, which plain http pages do not have. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
