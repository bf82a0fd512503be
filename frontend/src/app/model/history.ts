/** The streams that were started or watched with this browser: the client's record of them. */
import type { RememberedStream, StreamStore } from "../../client";

/** What the app keeps of a stream, besides what the client does. */
export interface Kept {
  /** The prompt, or the beginning of a very long one. */
  prompt: string;
  /** There was more of the prompt than is kept. */
  cut?: boolean;
  /** Somebody else has started it. */
  watched?: boolean;
}

export type HistoryEntry = Omit<RememberedStream, "data"> & Kept;

/** In UTF-16 units. The longest list takes 0.8 MB of the 5 MB that a browser gives a page. */
export const PROMPT_KEPT = 4000;
/** How many streams are kept. */
export const MOST = 100;

/** What to keep of a stream with this prompt, which may have been cut before. */
export function kept(prompt: string, more: Omit<Kept, "prompt"> = {}): Kept {
  const first = beginning(prompt, PROMPT_KEPT);
  const cut = more.cut === true || first !== prompt;
  return { prompt: first, ...(cut && { cut }), ...(more.watched && { watched: true }) };
}

/** At most `most` UTF-16 units of `text`; not cut within a character of two halves. */
export function beginning(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "");
}

export class History {
  readonly #store: StreamStore;
  #entries: readonly HistoryEntry[] | undefined;
  readonly subscribe: StreamStore["subscribe"];

  constructor(store: StreamStore) {
    this.#store = store;
    // Before all others that want to know: they ask for the entries.
    store.subscribe(() => {
      this.#entries = undefined;
    });
    this.subscribe = store.subscribe;
  }

  /** Newest first. The same array until something changes. */
  readonly entries = (): readonly HistoryEntry[] =>
    (this.#entries ??= this.#store.all().map(entryOf).reverse());

  find(id: string): HistoryEntry | undefined {
    return this.entries().find((entry) => entry.id === id);
  }

  /** Whether it has ended on the server, as far as this browser knows: it then never runs again. */
  hasEnded(id: string): boolean {
    return this.find(id)?.reason !== undefined;
  }

  remove(id: string): void {
    this.#store.remove(id);
  }

  /** Forget all streams of this server. */
  clear(): void {
    this.#store.clear();
  }
}

/** Another release of the page, or another page, may have kept something else, or nothing. */
function entryOf({ data, ...stream }: RememberedStream): HistoryEntry {
  const { prompt, cut, watched } = (data ?? {}) as Partial<Record<keyof Kept, unknown>>;
  return {
    ...stream,
    prompt: typeof prompt === "string" ? prompt : "",
    ...(cut === true && { cut }),
    ...(watched === true && { watched }),
  };
}
