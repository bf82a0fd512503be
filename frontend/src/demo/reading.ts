import type { Chunk, StreamSnapshot, TextStream } from "../client";
import type { Remembered } from "./memory";

/** Told of what becomes of a stream. */
export interface ReadingHandlers {
  /** The server has started it. */
  begun(reading: Reading, id: string): void;
  text(reading: Reading, chunk: Chunk): void;
  /** The connection is lost. */
  interrupted(reading: Reading): void;
  /** It goes on, after a lost connection or a reload. */
  resumed(reading: Reading): void;
  /** It has ended, or failed. */
  ended(reading: Reading, snapshot: StreamSnapshot): void;
}

/** A stream that is read, and what is kept of it over a reload. */
export class Reading {
  readonly stream: TextStream;
  readonly record: Remembered;
  /** Units that the server no longer has. */
  lost = 0;
  readonly #handlers: ReadingHandlers;
  readonly #unsubscribe: (() => void)[];
  readonly #started: boolean; // here; it was there before otherwise
  #resumes: number | undefined; // those that the handlers know of; undefined: nor that it has begun

  constructor(stream: TextStream, record: Remembered, handlers: ReadingHandlers) {
    this.stream = stream;
    this.record = record;
    this.#handlers = handlers;
    this.#started = stream.request !== undefined;
    this.#unsubscribe = [
      stream.subscribe(() => {
        this.#changed();
      }),
      stream.on("text", (chunk) => {
        handlers.text(this, chunk);
      }),
      stream.on("state", (state) => {
        if (state === "reconnecting") handlers.interrupted(this);
      }),
      stream.on("end", (snapshot) => {
        handlers.ended(this, snapshot);
      }),
    ];
  }

  /** Tell the handlers nothing more. */
  close(): void {
    for (const off of this.#unsubscribe) off();
  }

  #changed(): void {
    const { id, info, resumes } = this.stream;
    if (!info || id === undefined || resumes === this.#resumes) return;
    const begins = this.#resumes === undefined;
    this.#resumes = resumes;
    if (begins && this.#started) this.#handlers.begun(this, id);
    else this.#handlers.resumed(this);
  }
}
