import { ChunkQueue, type Chunk } from "./chunks.js";
import { Emitter } from "./emitter.js";
import { checkOffset } from "./decode.js";
import { closed, type StreamError } from "./errors.js";

import type { Rate, StartStream, StreamInfo } from "./protocol.js";
import type { Reader } from "./reader.js";
import type { Observer, StreamResult } from "./result.js";
import { Seek } from "./seek.js";
import type { Session } from "./session.js";
import {
  stateOf,
  type StreamEvents,
  type StreamSnapshot,
  type StreamState,
} from "./stream-state.js";
import { StreamStats } from "./stats.js";

/**
 * The text of one stream, each unit exactly once and in order, however often connections break.
 *
 * As events (`on`), as an async iterator of chunks, or as a whole (`text`, `done`). What a loop does
 * not take waits; from some 260,000 characters on, the server is told to stand still. Leaving a loop
 * early does not stop the stream.
 */
export class TextStream {
  /** Settles when it has ended, with how; rejects with the `StreamError` when it has failed. */
  readonly done: Promise<StreamResult>;
  readonly stats: StreamStats;
  readonly #reader: Reader;
  readonly #session: Session;
  readonly #events = new Emitter<StreamEvents>();
  readonly #changes = new Emitter<{ change: undefined }>();
  readonly #queues = new Set<ChunkQueue>();
  #snapshot: StreamSnapshot | undefined;
  #state: StreamState = "waiting";
  #resolve!: (result: StreamResult) => void;
  #reject!: (error: StreamError) => void;

  /** Made by `StreamClient`. */
  constructor(session: Session, reader: (observer: Observer) => Reader) {
    this.#session = session;
    this.stats = new StreamStats(session.clock.now());
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined); // `error` and the events tell of it as well.
    this.#reader = reader({
      chunk: (chunk) => {
        this.#chunk(chunk);
      },
      reset: (offset) => {
        for (const queue of this.#queues) queue.clear();
        this.#lagged();
        this.#events.emit("reset", offset);
        this.#changed();
      },
      changed: () => {
        this.#changed();
      },
      settled: () => {
        this.#settled();
      },
    });
    session.add(this.#reader);
  }

  /** Its id, once the server has given it one: with it, anybody may read it. */
  get id(): string | undefined {
    return this.#reader.id;
  }

  /** With it, anybody owns the stream: for another device of yours. Undefined where it was resumed without. */
  get key(): string | undefined {
    return this.#reader.key;
  }

  /**
   * What was asked for, with its `request_id`: `client.start` with it, also after a reload, starts
   * nothing twice. Undefined for a stream that was there before.
   */
  get request(): StartStream | undefined {
    return this.#reader.request;
  }

  /** What the server said when it began. */
  get info(): StreamInfo | undefined {
    return this.#reader.info;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** All the text so far, from where this reader began. */
  get text(): string {
    return this.#reader.assembler.text;
  }

  /** The unit after the last of `text`, counted from the start of the stream. */
  get offset(): number {
    return this.#reader.assembler.offset;
  }

  /** The pace that was asked for, or that the server has chosen. */
  get rate(): Rate | undefined {
    return this.#reader.rate;
  }

  /** Its place in the line of its source, 1 is next; undefined while it does not wait for one. */
  get position(): number | undefined {
    return this.#reader.position;
  }

  /** How often it went on after a lost connection. */
  get resumes(): number {
    return this.#reader.resumes;
  }

  /** How it ended; undefined before that. */
  get result(): StreamResult | undefined {
    return this.#reader.settled ? this.#reader.result : undefined;
  }

  /** Why it failed. */
  get error(): StreamError | undefined {
    return this.#reader.settled ? this.#reader.error : undefined;
  }

  get snapshot(): StreamSnapshot {
    const { id, info, state, text, offset, rate, position, resumes, result, error } = this;
    const { paused, stopping } = this.#reader;
    // prettier-ignore
    return (this.#snapshot ??= {
      id, info, state, text, offset, rate, position, paused, stopping, resumes, result, error,
    });
  }

  /** Call `listener` at each event of this name, until the function that is returned is called. */
  on<K extends keyof StreamEvents>(
    event: K,
    listener: (value: StreamEvents[K]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /** Call `listener` whenever `snapshot` is another, until the function that is returned is. */
  subscribe(listener: () => void): () => void {
    return this.#changes.on("change", listener);
  }

  /** The chunks: first, as one, what has arrived so far. Throws when the stream has failed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Chunk, undefined> {
    const queue = new ChunkQueue((taken) => {
      if (taken.done) this.#queues.delete(taken);
      this.#lagged();
      this.#session.link?.adjust(this.#reader);
    });
    const { text, offset } = this;
    if (text) queue.put({ offset: this.#reader.assembler.first, next: offset, text });
    if (this.#reader.settled) queue.end(this.#reader.error);
    else this.#queues.add(queue);
    return queue;
  }

  /**
   * Stop it on the server, for all its readers; resolves when it has ended, however.
   *
   * Rejects with `forbidden` where it is somebody else's: it goes on.
   */
  async stop(): Promise<void> {
    const reader = this.#reader;
    const refused = new Promise<never>((_, reject) => {
      reader.stopRefused.push(reject);
    });
    this.#session.stop(reader);
    this.#changed();
    await Promise.race([this.done.catch(() => undefined), refused]);
  }

  /**
   * Stop it; where that is not allowed, as to who has a token without the scope for it, leave it. For a
   * button, which has nobody to tell. Resolves when it has ended here, and never rejects.
   */
  async stopOrLeave(): Promise<void> {
    try {
      await this.stop();
    } catch {
      this.leave();
    }
  }

  /** Let it stand still for this reader. */
  pause(): void {
    this.#setPaused(true);
  }

  /** Go on after `pause`. */
  continue(): void {
    this.#setPaused(false);
  }

  /**
   * Change this reader's pace: units per second, 0 (as fast as it reads) or `"auto"`.
   *
   * Without a connection it holds from the reconnection on. Rejects when the server does not allow
   * it; the pace is then the old one.
   */
  setRate(rate: Rate): Promise<void> {
    const reader = this.#reader;
    const before = reader.rate;
    reader.rate = rate;
    this.#changed();
    const { link } = this.#session;
    if (!link || !reader.attached || reader.over) return Promise.resolve();
    return new Promise((resolve, reject) => {
      link.setRate(reader, rate, resolve, (error) => {
        reader.rateRefused(rate, before);
        reject(error);
      });
    });
  }

  /**
   * Go on reading at another offset, in units; `text` begins anew there.
   *
   * Rejects when the text does not reach as far, or has been trimmed there: it then goes on as before.
   */
  async seek(offset: number): Promise<void> {
    const reader = this.#reader;
    checkOffset(offset);
    // One after the other: the answers to two at a time could not be told apart.
    while (reader.seek) await reader.seek.promise.catch(() => undefined);
    if (reader.over) throw closed("The stream");
    reader.seek = new Seek(offset);
    const { promise } = reader.seek;
    this.#session.link?.seek(reader);
    await promise;
  }

  /** Stop reading. The stream goes on for others, and may be resumed; here it fails as `closed`. */
  leave(): void {
    this.#session.leave(this.#reader);
  }

  #setPaused(paused: boolean): void {
    this.#reader.paused = paused;
    if (paused) this.stats.interrupt();
    this.#session.link?.adjust(this.#reader);
    this.#changed();
  }

  #chunk(chunk: Chunk): void {
    this.stats.add(chunk.next - chunk.offset, this.#session.clock.now());
    for (const queue of this.#queues) queue.put(chunk);
    this.#lagged();
    this.#snapshot = undefined;
    this.#events.emit("text", chunk);
    this.#changed();
  }

  #lagged(): void {
    let most = 0;
    for (const { waiting } of this.#queues) most = Math.max(most, waiting);
    this.#reader.backlog.size = most;
  }

  #settled(): void {
    const { result, error } = this.#reader;
    for (const queue of this.#queues) queue.end(error);
    this.#queues.clear();
    this.#changed();
    if (error) this.#reject(error);
    else if (result) this.#resolve(result);
    this.#events.emit("end", this.snapshot);
  }

  #changed(): void {
    this.#snapshot = undefined;
    const before = this.#state;
    this.#state = stateOf(this.#reader);
    if (this.#state !== before) this.#events.emit("state", this.#state);
    this.#changes.emit("change", undefined);
  }
}
