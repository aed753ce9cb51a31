/* How long to wait before the next try, and a wait that can be cut short. */

/** Milliseconds before try number `attempt` (from 0): doubles from `first` to `most`, and anything
 *  from half of that to all of it, so that many clients do not come back at the same moment. */
export function backoff(attempt, { first = 500, most = 15_000 } = {}) {
  const whole = Math.min(most, first * 2 ** attempt);
  return whole / 2 + (Math.random() * whole) / 2;
}

/** Waits of one client: each ends in time, when its signal is aborted, or when all are woken. */
export class Waits {
  #open = new Set();

  /** Resolves after `milliseconds`, or sooner; it never rejects. */
  pause(milliseconds, signal) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        this.#open.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#open.add(end);
      if (signal?.aborted) end();
      else signal?.addEventListener("abort", end);
    });
  }

  wake() {
    for (const end of [...this.#open]) end();
  }
}
