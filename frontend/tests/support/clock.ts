import type { Clock } from "../../src/client/index.js";

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #due = new Map<object, { at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delay: number, callback: () => void): () => void {
    const key = {};
    this.#due.set(key, { at: this.#now + delay, callback });
    return () => this.#due.delete(key);
  }

  /** Go on by `ms`, and call what falls due, each at its time; let promises settle in between. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#due].sort(([, a], [, b]) => a.at - b.at)[0];
      if (!next || next[1].at > until) break;
      this.#due.delete(next[0]);
      this.#now = next[1].at;
      next[1].callback();
      await settle();
    }
    this.#now = until;
    await settle();
  }
}

/** Let everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
