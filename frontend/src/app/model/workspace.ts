import type { Rate, StreamClient, StreamDescription, TextStream } from "../../client";
import { Listeners } from "../../shared/listeners";
import { grantFor } from "./grants";
import { kept, type History } from "./history";
import { newPane, NOTHING_SHOWN, running, type Pane, type PaneSettings, type Shown } from "./pane";
import type { PaneStore, StoredPane } from "./paneStore";

/** More would not fit, and the server allows a connection 16 streams. */
export const MOST_PANES = 8;

/** What a pane asks the server for, besides what its settings say. */
export interface Asked {
  prompt: string;
  source: string;
  params: Record<string, unknown>;
}

/** The panes and the streams in them. Knows nothing of React. */
export class Workspace {
  readonly #client: StreamClient;
  readonly #history: History;
  readonly #store: PaneStore;
  readonly #listeners = new Listeners();
  #panes: readonly Pane[];

  constructor(client: StreamClient, history: History, store: PaneStore) {
    this.#client = client;
    this.#history = history;
    this.#store = store;
    this.#panes = [newPane()];
    this.#restore();
  }

  readonly subscribe = this.#listeners.add;
  readonly panes = (): readonly Pane[] => this.#panes;

  find(key: string): Pane | undefined {
    return this.#panes.find((pane) => pane.key === key);
  }

  /** One more pane, set up as the last one. */
  add(): Pane | undefined {
    if (this.#panes.length >= MOST_PANES) return undefined;
    const pane = newPane(this.#panes.at(-1)?.settings);
    this.#set([...this.#panes, pane]);
    return pane;
  }

  /** Remove a pane; what this page started and still runs in it is stopped. */
  close(key: string): void {
    const pane = this.find(key);
    if (!pane || this.#panes.length === 1) return;
    this.#letGo(pane);
    this.#set(this.#panes.filter((other) => other !== pane));
  }

  configure(key: string, change: Partial<PaneSettings>): void {
    const pane = this.find(key);
    if (!pane) return;
    this.#replace(key, { settings: { ...pane.settings, ...change } });
    if (change.rate !== undefined && pane.stream && running(pane))
      // The server's limits are wider than the speeds that are offered.
      void pane.stream.setRate(change.rate).catch(() => undefined);
  }

  start(key: string, { prompt, source, params }: Asked): void {
    const pane = this.find(key);
    if (!pane) return;
    this.#letGo(pane);
    const { unit, rate } = pane.settings;
    const text = prompt === "" ? {} : source === "text" ? { text: prompt } : { prompt };
    const named = source === "" ? {} : { source };
    const request = { ...named, unit, rate, params, ...text };
    const stream = this.#client.start(request, { data: kept(prompt) });
    this.#show(pane, stream, { prompt });
  }

  /**
   * Stop it for everyone. One that is only watched is left, and goes on for the others.
   *
   * One that has ended on the server is left, too: stopped, it would be a reader that is behind the
   * end, and fetch all the text that is left at once.
   */
  stop(key: string): void {
    const pane = this.find(key);
    if (!pane?.stream || !running(pane)) return;
    if (pane.watching || this.#hasEnded(pane)) pane.stream.leave();
    else void pane.stream.stopOrLeave();
  }

  /** Watch a stream that somebody else has started, from its beginning or from now on. */
  watch(described: StreamDescription, from: "start" | "now"): Pane {
    const { id, unit, source } = described;
    // Not `next`: a source that is not live is far ahead of its readers.
    const offset = from === "start" ? described.first : described.furthest;
    const pane = this.#free();
    const stream = this.#client.resume(id, {
      offset,
      ...this.#granted(id),
      data: kept("", { watched: true }),
    });
    this.configure(pane.key, { unit, source });
    return this.#show(pane, stream, { watching: true, from: offset });
  }

  /** Show a stream of the history: go on with it (rate undefined), or from its start at `rate`. */
  open(id: string, rate?: Rate): Pane {
    const entry = this.#history.find(id);
    const there = this.#panes.find((pane) => pane.stream?.id === id && running(pane));
    if (there?.stream) {
      if (rate !== undefined) {
        void there.stream.seek(0).catch(() => undefined);
        void there.stream.setRate(rate).catch(() => undefined);
      }
      return there;
    }
    // First: what is let go of may be an earlier reader of the same stream.
    const pane = this.#free();
    const stream = this.#client.resume(id, { rate: rate ?? 0, ...this.#granted(id) });
    const { source, unit } = entry ?? pane.settings;
    // Not the rate: it is that of this reading, and the next prompt has the pane's own.
    this.configure(pane.key, { source, unit });
    // One that was last seen running may have ended with no page open: the client takes note.
    // If it is not there any more, reading it says so.
    if (!this.#history.hasEnded(id))
      this.#client.describe(id, this.#granted(id)).catch(() => undefined);
    const { prompt, cut = false, watched: watching = false } = entry ?? {};
    return this.#show(pane, stream, { prompt, cut, watching });
  }

  /** What lets one read a stream that somebody else has shared. */
  #granted(id: string): { grant: string | undefined } {
    return { grant: grantFor(this.#client.url, id) };
  }

  #hasEnded({ stream }: Pane): boolean {
    return stream?.id !== undefined && this.#history.hasEnded(stream.id);
  }

  /** A pane that shows nothing that runs; else a new one, else one that has ended. */
  #free(): Pane {
    const free = this.#panes.find((pane) => !pane.stream) ?? this.add();
    if (free) return free;
    const last = this.#panes.find((pane) => !running(pane)) ?? this.#panes.at(-1);
    if (!last) throw new Error("There is always a pane.");
    this.#letGo(last);
    return last;
  }

  #show(pane: Pane, stream: TextStream, change: Partial<Shown>): Pane {
    const shown = { ...NOTHING_SHOWN, ...change };
    this.#follow(stream);
    return this.#replace(pane.key, { stream, ...shown }) ?? pane;
  }

  /** Not a part of `#show`: the pane there has the stream before, which must not be kept by this. */
  #follow(stream: TextStream): void {
    // What runs has changed.
    stream.on("state", () => {
      this.#set([...this.#panes]);
    });
    // With its id, and at its pace, a reload goes on with it; its first text may be long in coming.
    let { id, rate } = stream;
    stream.subscribe(() => {
      if (stream.id === id && stream.rate === rate) return;
      ({ id, rate } = stream);
      this.#set([...this.#panes]);
    });
  }

  #letGo(pane: Pane): void {
    const { stream } = pane;
    if (!stream) return;
    if (running(pane) && !pane.watching && !this.#hasEnded(pane))
      void stream.stopOrLeave().then(() => {
        this.#client.release(stream);
      });
    else this.#client.release(stream);
  }

  #restore(): void {
    const stored = this.#store.read();
    if (stored.length === 0) return;
    this.#panes = stored.map(({ settings }) => newPane(settings));
    for (const [index, before] of stored.entries()) {
      const pane = this.#panes[index];
      if (pane) this.#takeUp(pane, before);
    }
  }

  #takeUp(pane: Pane, { id, prompt, cut = false, ...more }: StoredPane): void {
    if (id === undefined) {
      this.#replace(pane.key, { prompt, cut });
      return;
    }
    const { watching = false, from = 0, rate = pane.settings.rate } = more;
    const stream = this.#client.resume(id, {
      offset: from,
      rate: this.#history.hasEnded(id) ? 0 : rate, // What has ended comes back at once.
      ...this.#granted(id),
      data: kept(prompt ?? "", { cut, watched: watching }),
    });
    this.#show(pane, stream, { prompt, cut, watching, from });
  }

  #replace(key: string, change: Partial<Pane>): Pane | undefined {
    this.#set(this.#panes.map((pane) => (pane.key === key ? { ...pane, ...change } : pane)));
    return this.find(key);
  }

  #set(panes: readonly Pane[]): void {
    this.#panes = panes;
    this.#store.write(panes);
    this.#listeners.call();
  }
}
