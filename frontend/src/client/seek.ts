import type { StreamError } from "./errors.js";
import type { StreamChunk, StreamEnd } from "./protocol.js";

/**
 * A move of the reader to another offset that the server has not confirmed yet.
 *
 * Until it has, nobody knows whether a chunk that arrives is of the old position or of the new one:
 * they are held back.
 */
export class Seek {
  readonly offset: number;
  readonly promise: Promise<void>;
  sent = false;
  #held: (StreamChunk | StreamEnd)[] = [];
  #resolve!: () => void;
  #reject!: (error: StreamError) => void;

  constructor(offset: number) {
    this.offset = offset;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => undefined); // Whoever asked may not care.
  }

  /** Keep an event for later, if this seek is under way. */
  hold(event: StreamChunk | StreamEnd): boolean {
    if (this.sent) this.#held.push(event);
    return this.sent;
  }

  /** The connection is lost: it is asked for again, and what was held will be sent again. */
  interrupted(): void {
    this.sent = false;
    this.#held = [];
  }

  /** It has come to its end; returns what was held. */
  done(): (StreamChunk | StreamEnd)[] {
    this.sent = false;
    this.#resolve();
    return this.#held;
  }

  failed(error: StreamError): (StreamChunk | StreamEnd)[] {
    this.sent = false;
    this.#reject(error);
    return this.#held;
  }
}
