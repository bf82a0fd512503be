import type { StreamError } from "./errors.js";

/** A piece of the text. */
export interface Chunk {
  /** Its first unit, counted from the start of the text. */
  offset: number;
  /** The unit after its last. */
  next: number;
  /** The units, joined. */
  text: string;
}

/** What waits for one consumer, and the consumer's way to it: an async iterator of chunks. */
export class ChunkQueue implements AsyncIterableIterator<Chunk, undefined> {
  #chunks: Chunk[] = [];
  #head = 0; // the first of #chunks that waits: taking them off the front would move the others
  readonly #takers: {
    resolve(result: IteratorResult<Chunk, undefined>): void;
    reject(error: StreamError): void;
  }[] = [];
  readonly #onTaken: (queue: ChunkQueue) => void;
  #waiting = 0;
  #end: { error?: StreamError } | undefined;

  /** `onTaken` is called whenever something was taken, or the consumer has left. */
  constructor(onTaken: (queue: ChunkQueue) => void) {
    this.#onTaken = onTaken;
  }

  /** How much waits, in UTF-16 code units (what `String.length` counts). */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether the consumer has left, or was given everything. */
  get done(): boolean {
    return this.#end !== undefined && this.#head === this.#chunks.length;
  }

  put(chunk: Chunk): void {
    if (this.#end) return;
    const taker = this.#takers.shift();
    if (taker) taker.resolve({ done: false, value: chunk });
    else {
      this.#chunks.push(chunk);
      this.#waiting += chunk.text.length;
    }
  }

  /** Drop what waits: the text begins anew. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#waiting = 0;
  }

  /** Nothing follows what waits, but `error` if there is one. */
  end(error?: StreamError): void {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    const takers = this.#takers.splice(0);
    // Only the first is told of the error, as with a generator.
    takers.forEach((taker, index) => {
      if (error && index === 0) taker.reject(error);
      else taker.resolve({ done: true, value: undefined });
    });
    if (takers.length > 0) this.#end = {};
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    const chunk = this.#chunks[this.#head];
    if (chunk) {
      this.#head += 1;
      this.#waiting -= chunk.text.length;
      if (this.#waiting === 0) this.clear();
      this.#onTaken(this);
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#end) {
      const { error } = this.#end;
      this.#end = {};
      return error ? Promise.reject(error) : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  /** The consumer has left its loop. */
  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.clear();
    this.end();
    this.#onTaken(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
