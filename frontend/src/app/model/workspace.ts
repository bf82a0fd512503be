import type { Rate, StreamClient, StreamDescription, TextStream } from "../../client";
import type { History } from "./history";
import { Listeners } from "./listeners";
import { newPane, running, type Pane, type PaneSettings } from "./pane";
import type { PaneStore } from "./paneStore";
import { recordIn } from "./recorder";

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
    const stream = this.#client.start({ ...named, unit, rate, params, ...text });
    this.#show(pane, stream, { prompt, watching: false, from: 0 });
  }

  /** Stop it for everyone; one that is only watched is left, and goes on for the others. */
  stop(key: string): void {
    const pane = this.find(key);
    if (!pane?.stream || !running(pane)) return;
    if (pane.watching) pane.stream.leave();
    else void pane.stream.stop();
  }

  /** Watch a stream that somebody else has started, from its beginning or from now on. */
  watch(described: StreamDescription, from: "start" | "now"): Pane {
    const offset = from === "start" ? described.first : described.next;
    const stream = this.#client.resume(described.id, { offset });
    const pane = this.#free();
    const { unit, source } = described;
    this.configure(pane.key, { unit, source });
    return this.#show(pane, stream, { prompt: undefined, watching: true, from: offset });
  }

  /** Show a stream of the history: go on with it (rate undefined), or from its start at `rate`. */
  open(id: string, rate?: Rate): Pane {
    const entry = this.#history.find(id);
    const there = this.#panes.find((pane) => pane.stream?.id === id && running(pane));
    if (there?.stream) {
      if (rate !== undefined) {
        void there.stream.seek(0).catch(() => undefined);
        this.configure(there.key, { rate });
      }
      return there;
    }
    const stream = this.#client.resume(id, { rate: rate ?? 0 });
    const pane = this.#free();
    const { source, unit } = entry ?? pane.settings;
    this.configure(pane.key, { source, unit, rate: rate ?? 0 });
    const watching = entry?.watched ?? false;
    return this.#show(pane, stream, { prompt: entry?.prompt, watching, from: 0 });
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

  #show(pane: Pane, stream: TextStream, shown: Pick<Pane, "prompt" | "watching" | "from">): Pane {
    recordIn(this.#history, stream, shown.watching ? undefined : (shown.prompt ?? ""));
    this.#follow(pane.key, stream);
    return this.#replace(pane.key, { stream, ...shown }) ?? pane;
  }

  /** Not a part of `#show`: the pane there has the stream before, which must not be kept by this. */
  #follow(key: string, stream: TextStream): void {
    stream.on("state", () => {
      const { rate } = stream; // Of one that is watched, the server has chosen it.
      const pane = this.find(key);
      if (pane?.stream === stream && rate !== undefined && rate !== pane.settings.rate)
        this.#replace(key, { settings: { ...pane.settings, rate } });
      // Written: it has an id now, with which a reload finds it again. Told: what runs has changed.
      this.#set([...this.#panes]);
    });
  }

  #letGo(pane: Pane): void {
    const { stream } = pane;
    if (!stream) return;
    if (running(pane) && !pane.watching)
      void stream.stop().then(() => {
        this.#client.forget(stream);
      });
    else this.#client.forget(stream);
  }

  #restore(): void {
    const stored = this.#store.read();
    if (stored.length === 0) return;
    const ended = new Set(
      this.#client.remembered.filter(({ reason }) => reason !== undefined).map(({ id }) => id),
    );
    this.#panes = stored.map(({ settings }) => newPane(settings));
    for (const [index, { id, prompt, watching = false, from = 0 }] of stored.entries()) {
      const pane = this.#panes[index];
      if (!pane) continue;
      // What has ended comes back at once.
      const rate = id !== undefined && ended.has(id) ? 0 : pane.settings.rate;
      if (id === undefined) this.#replace(pane.key, { prompt });
      else
        this.#show(pane, this.#client.resume(id, { offset: from, rate }), {
          prompt,
          watching,
          from,
        });
    }
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
