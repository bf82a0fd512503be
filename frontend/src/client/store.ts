/** Remembers which streams there were, so that they can be resumed after a reload. */
import type { EndReason, Rate, StreamInfo } from "./protocol.js";
import type { TextStream } from "./stream.js";

/** The part of `Storage` that is needed: `sessionStorage`, `localStorage`, or your own. */
export type StorageLike = Pick<Storage, "getItem" | "setItem">;

/**
 * A stream that was read here.
 *
 * Without its text, and without the prompt: the server has the text, sends what was read before at
 * once, and the hash proves that nothing is missing. Keeping it here as well would cost a write for
 * every chunk, meet the limit of some 5 MB, and leave private words on the device.
 */
export interface RememberedStream {
  id: string;
  source: string;
  unit: StreamInfo["unit"];
  rate: Rate;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** How it ended, or undefined while it runs. */
  reason?: EndReason;
}

const MOST = 50;

/** Errors after which the server does not have the stream. */
const GONE: readonly string[] = ["unknown_stream", "offset_gone"];

/** The streams of one server, oldest first, in a storage. It is optional: failures are ignored. */
export class StreamStore {
  readonly #storage: StorageLike | undefined;
  readonly #key: string;

  constructor(storage: StorageLike | undefined, url: string) {
    this.#storage = storage;
    this.#key = `textstream ${url}`;
  }

  all(): RememberedStream[] {
    try {
      const found: unknown = JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
      return Array.isArray(found) ? found.filter(isRemembered) : [];
    } catch {
      return [];
    }
  }

  /** Add a stream, or replace what is known of it. */
  put(stream: RememberedStream): void {
    const all = this.all();
    const known = all.findIndex(({ id }) => id === stream.id);
    if (known < 0) all.push(stream);
    else all[known] = stream;
    this.#write(all.slice(-MOST));
  }

  remove(id: string): void {
    this.#write(this.all().filter((stream) => stream.id !== id));
  }

  /** Keep what is known of `stream` up to date, from when the server has given it an id. */
  follow(stream: TextStream): void {
    const startedAt = Date.now();
    let written: { info: StreamInfo; rate: Rate | undefined } | undefined;
    stream.subscribe(() => {
      const { info, rate } = stream;
      // Written when there is something new about the stream, not for each chunk.
      if (info === written?.info && rate === written?.rate) return;
      // It was begun anew, under another id.
      if (written && written.info !== info) this.remove(written.info.id);
      written = info && { info, rate };
      if (info)
        this.put({
          ...(this.#find(info.id) ?? { ...picked(info), startedAt }),
          rate: rate ?? info.rate,
          // A short text may have ended before the answer to its resume.
          ...(stream.result && { reason: stream.result.reason }),
        });
    });
    stream.on("end", ({ id, result, error }) => {
      if (id === undefined) return;
      if (error && GONE.includes(error.code)) this.remove(id);
      const before = this.#find(id);
      if (before && result) this.put({ ...before, reason: result.reason });
    });
  }

  #find(id: string): RememberedStream | undefined {
    return this.all().find((stream) => stream.id === id);
  }

  // What is there is read each time: another tab may share the storage.
  #write(streams: RememberedStream[]): void {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(streams));
    } catch {
      // Full, or forbidden: then there is nothing to resume after a reload.
    }
  }
}

/** The page's `sessionStorage`: survives a reload, and is each tab's own. None elsewhere. */
export function defaultStorage(): StorageLike | undefined {
  try {
    // Asking is an error where the user forbids it; outside of browsers there is none.
    return typeof document === "undefined" ? undefined : sessionStorage;
  } catch {
    return undefined;
  }
}

function picked({ id, source, unit, rate }: StreamInfo): Omit<RememberedStream, "startedAt"> {
  return { id, source, unit, rate };
}

function isRemembered(value: unknown): value is RememberedStream {
  if (typeof value !== "object" || value === null) return false;
  const { id, source, startedAt } = value as Partial<Record<keyof RememberedStream, unknown>>;
  return typeof id === "string" && typeof source === "string" && typeof startedAt === "number";
}
