/** Remembers which streams there were: the one record of them, that outlives the page. */
import { randomId } from "./digest.js";
import { Emitter } from "./emitter.js";
import type { EndReason, Rate, StreamInfo } from "./protocol.js";

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
  /** How it ended, or undefined while it runs, as far as is known here. */
  reason?: EndReason;
  /** The last reading of it failed. `gone`: the server does not have it any more. */
  failure?: "failed" | "gone";
  /** What you keep of it: anything that JSON has. */
  data?: unknown;
}

/**
 * The streams of one server in a storage, those last that were read last.
 *
 * The storage is optional: failures are ignored. Another tab may share it.
 */
export class StreamStore {
  readonly #storage: StorageLike | undefined;
  readonly #key: string;
  readonly #most: number;
  readonly #changes = new Emitter<{ change: undefined }>();

  /** Remembers the last `most` streams. */
  constructor(storage: StorageLike | undefined, url: string, most: number) {
    this.#storage = storage;
    this.#key = `textstream ${url}`;
    this.#most = most;
  }

  all(): RememberedStream[] {
    try {
      const found: unknown = JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
      return Array.isArray(found) ? found.filter(isRemembered) : [];
    } catch {
      return [];
    }
  }

  find(id: string): RememberedStream | undefined {
    return this.all().find((stream) => stream.id === id);
  }

  /** Put a stream behind all others, in the place of what was known of it. */
  add(stream: RememberedStream): void {
    if (this.#most > 0) this.#write([...this.#others(stream.id), stream].slice(-this.#most));
  }

  /** Change what is known of a stream, if it is remembered. */
  change(id: string, change: Partial<Omit<RememberedStream, "id">>): void {
    const all = this.all();
    const known = all.find((stream) => stream.id === id);
    if (!known) return;
    Object.assign(known, change);
    this.#write(all);
  }

  remove(id: string): void {
    this.#write(this.#others(id));
  }

  /**
   * The secret by which the server knows that a client is the same: after a lost connection, and after
   * a reload. Made up the first time.
   */
  clientKey(): string {
    const entry = `${this.#key} client`;
    try {
      const known = this.#storage?.getItem(entry);
      if (known) return known;
    } catch {
      // Forbidden: then it is a new one for each page.
    }
    const made = randomId();
    try {
      this.#storage?.setItem(entry, made);
    } catch {
      // The same.
    }
    return made;
  }

  clear(): void {
    this.#write([]);
  }

  /** Call `listener` whenever there is something new, until the function that is returned is. */
  readonly subscribe = (listener: () => void): (() => void) => this.#changes.on("change", listener);

  /** The storage was changed by another tab: its entry `key`, or null for all of it. */
  changedElsewhere(key: string | null): void {
    if (key === this.#key || key === null) this.#changes.emit("change", undefined);
  }

  #others(id: string): RememberedStream[] {
    return this.all().filter((stream) => stream.id !== id);
  }

  // What is there is read each time: another tab may share the storage.
  #write(streams: RememberedStream[]): void {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(streams));
    } catch {
      // Full, or forbidden: then there is nothing to resume after a reload.
    }
    this.#changes.emit("change", undefined);
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

function isRemembered(value: unknown): value is RememberedStream {
  if (typeof value !== "object" || value === null) return false;
  const { id, source, startedAt } = value as Partial<Record<keyof RememberedStream, unknown>>;
  return typeof id === "string" && typeof source === "string" && typeof startedAt === "number";
}
