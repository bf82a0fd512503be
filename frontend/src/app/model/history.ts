/** The streams that were started or watched with this browser, newest first. */
import type { EndReason, Rate, Unit } from "../../client";
import { Listeners } from "../../shared/listeners";

export interface HistoryEntry {
  id: string;
  /** Where it runs: an id says nothing to another server. */
  server: string;
  /** The prompt, or the beginning of a very long one. */
  prompt: string;
  /** There was more of the prompt than is kept. */
  cut?: boolean;
  /** Somebody else has started it. */
  watched?: boolean;
  source: string;
  unit: Unit;
  rate: Rate;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** How it ended; undefined: it ran when it was last heard of. `gone`: the server has forgotten it. */
  state?: EndReason | "failed" | "gone";
}

/** In UTF-16 units. The longest list takes 0.8 MB of the 5 MB that a browser gives a page. */
export const PROMPT_KEPT = 4000;
const MOST = 100;
const KEY = "textstream app history";

type Stored = Pick<Storage, "getItem" | "setItem">;

export class History {
  readonly #storage: Stored | undefined;
  readonly #server: string;
  readonly #listeners = new Listeners();
  #entries: readonly HistoryEntry[] | undefined;

  constructor(storage: Stored | undefined, server: string) {
    this.#storage = storage;
    this.#server = server;
  }

  readonly subscribe = this.#listeners.add;

  /** Those of this server. The same array until something changes. */
  readonly entries = (): readonly HistoryEntry[] =>
    (this.#entries ??= this.#all().filter(({ server }) => server === this.#server));

  find(id: string): HistoryEntry | undefined {
    return this.entries().find((entry) => entry.id === id);
  }

  /** Whether it has ended on the server, as far as this browser knows: it then never runs again. */
  hasEnded(id: string): boolean {
    const state = this.find(id)?.state;
    return state !== undefined && state !== "failed" && state !== "gone";
  }

  /** Add a stream, or replace what is known of it. */
  put(entry: Omit<HistoryEntry, "server">): void {
    const prompt = beginning(entry.prompt, PROMPT_KEPT);
    const cut = prompt === entry.prompt ? {} : { cut: true };
    const added = { ...entry, prompt, ...cut, server: this.#server };
    this.#write([added, ...this.#others(entry.id)]);
  }

  /** Note how it ended. */
  settle(id: string, state: HistoryEntry["state"]): void {
    const all = this.#all().map((entry) => {
      if (entry.id !== id || entry.server !== this.#server) return entry;
      const settled = { ...entry };
      delete settled.state;
      return state ? { ...settled, state } : settled;
    });
    this.#write(all);
  }

  remove(id: string): void {
    this.#write(this.#others(id));
  }

  /** Forget all streams of this server. */
  clear(): void {
    this.#write(this.#all().filter(({ server }) => server !== this.#server));
  }

  /** Another tab has changed the storage. */
  readonly changedElsewhere = (event: Pick<StorageEvent, "key">): void => {
    if (event.key === KEY || event.key === null) this.#changed();
  };

  #others(id: string): HistoryEntry[] {
    return this.#all().filter((entry) => entry.id !== id || entry.server !== this.#server);
  }

  // What is there is read each time: other tabs share the storage.
  #all(): HistoryEntry[] {
    try {
      const found: unknown = JSON.parse(this.#storage?.getItem(KEY) ?? "[]");
      return Array.isArray(found) ? found.filter(isEntry) : [];
    } catch {
      return [];
    }
  }

  #write(entries: HistoryEntry[]): void {
    try {
      this.#storage?.setItem(KEY, JSON.stringify(entries.slice(0, MOST)));
    } catch {
      // Full, or forbidden: the list then ends here.
    }
    this.#changed();
  }

  #changed(): void {
    this.#entries = undefined;
    this.#listeners.call();
  }
}

/** At most `most` UTF-16 units of `text`; not cut within a character of two halves. */
export function beginning(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "");
}

function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof HistoryEntry, unknown>>;
  return (
    [entry.id, entry.server, entry.prompt, entry.source, entry.unit].every(
      (field) => typeof field === "string",
    ) && typeof entry.startedAt === "number"
  );
}
