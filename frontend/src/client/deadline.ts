import type { Clock } from "./clock.js";

/** The slowest connection that is waited for: bytes per ms, so 16 kB/s. */
const BYTES_PER_MS = 16;

/** What may come in one piece with an answer that was polled for: 16 chunks of 4,096 units. */
const POLL_BYTES = 16 * 4096 * 4;

export interface DeadlineOptions {
  clock: Clock;
  /** Milliseconds for an answer of a server that is quick to reach. */
  timeout: number;
  /** Whether what arrives comes in polls: nothing is seen of one before all of it is there. */
  polling: () => boolean;
  /** Nothing came in time: the server is as good as gone. */
  overdue: () => void;
}

/**
 * Until when a server that owes answers has to be heard.
 *
 * One for all answers that are due, and anything that arrives puts it off. With one for each, a
 * healthy connection that is slow was given up again and again: an answer waits behind what was
 * asked before, and behind the text that is on its way.
 */
export class Deadline {
  readonly #options: DeadlineOptions;
  #owed = 0;
  #heard = false;
  #due = 0;
  #cancel: () => void = () => undefined;

  constructor(options: DeadlineOptions) {
    this.#options = options;
  }

  /** Whether answers are due, and nothing at all has ever come. */
  get mute(): boolean {
    return this.#owed > 0 && !this.#heard;
  }

  /** A request is sent. What follows on it has to wait until it is through. */
  asked(payload: object): void {
    if (this.#owed === 0) this.#due = this.#soonest();
    this.#due += new TextEncoder().encode(JSON.stringify(payload)).length / BYTES_PER_MS;
    this.#owed += 1;
    if (this.#owed === 1) this.#watch();
  }

  answered(): void {
    this.heard();
    this.#owed -= 1;
    if (this.#owed === 0) this.#cancel();
  }

  /** The server has given a sign of life. */
  heard(): void {
    this.#heard = true;
    this.#due = Math.max(this.#due, this.#soonest());
  }

  /** The connection is gone. */
  close(): void {
    this.#cancel();
  }

  #soonest(): number {
    const { clock, timeout, polling } = this.#options;
    return clock.now() + timeout + (polling() ? POLL_BYTES / BYTES_PER_MS : 0);
  }

  // The timer is not set anew at each chunk: it looks, when it rings, whether it was put off.
  #watch(): void {
    const { clock, overdue } = this.#options;
    this.#cancel = clock.after(this.#due - clock.now(), () => {
      if (clock.now() < this.#due) this.#watch();
      else overdue();
    });
  }
}
