import type { EndReason, Rate, StreamDescription, StreamInfo } from "./protocol.js";
import type { RememberedStream, StreamStore } from "./store.js";
import type { TextStream } from "./stream.js";

/** Errors after which the server does not have the stream. */
const GONE: readonly string[] = ["unknown_stream", "offset_gone"];

/** Keeps a store true to the streams that are read. */
export class Recorder {
  readonly #store: StreamStore;
  readonly #endings = new Map<string, EndReason>(); // of streams that were described as ended

  constructor(store: StreamStore) {
    this.#store = store;
  }

  /** Record `stream` from when the server has given it an id, with `data` if there is none yet. */
  follow(stream: TextStream, data: unknown): void {
    const startedAt = Date.now();
    let written: { info: StreamInfo; rate: Rate | undefined } | undefined;
    stream.subscribe(() => {
      const { info, rate } = stream;
      // Written when there is something new about the stream, not for each chunk.
      if (!info || (info === written?.info && rate === written.rate)) return;
      if (info === written?.info) this.#store.change(info.id, { rate: rate ?? info.rate });
      else {
        // It was begun anew, under another id.
        if (written) this.#store.remove(written.info.id);
        this.#begin(stream, info, { startedAt, ...(data === undefined ? {} : { data }) });
      }
      written = { info, rate };
    });
    stream.on("end", ({ id, result, error }) => {
      if (id === undefined) return;
      if (result) this.#store.change(id, { reason: result.reason });
      else if (error && GONE.includes(error.code)) this.#lose(id);
      else if (error && error.code !== "closed") this.#store.change(id, { failure: "failed" });
    });
  }

  /** Take from a description that a stream has ended: one that is remembered, or will be. */
  learn({ id, state, reason }: StreamDescription): void {
    if (state !== "ended" || reason === null) return;
    this.#endings.set(id, reason);
    if (this.#store.find(id)?.reason === undefined) this.#store.change(id, { reason });
  }

  #begin(
    stream: TextStream,
    { id, source, unit, rate }: StreamInfo,
    more: Pick<RememberedStream, "startedAt" | "data">,
  ): void {
    // A short text may have ended before the answer to its resume.
    const reason = stream.result?.reason ?? this.#endings.get(id);
    const record: RememberedStream = {
      ...(this.#store.find(id) ?? { id, source, unit, ...more }),
      rate: stream.rate ?? rate,
      ...(reason && { reason }),
    };
    delete record.failure; // It is there, and read.
    this.#store.add(record);
  }

  /** The server does not have it. What you keep of it you may still want to see. */
  #lose(id: string): void {
    if (this.#store.find(id)?.data === undefined) this.#store.remove(id);
    else this.#store.change(id, { failure: "gone" });
  }
}
