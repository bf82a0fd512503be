import { useEffect, useState, useSyncExternalStore } from "react";
import {
  isOver,
  type StreamClient,
  type Sources,
  type StatsSnapshot,
  type StreamDescription,
  type StreamError,
  type TextStream,
} from "../client";
import { useStreamValue } from "../react";
import { grantFor } from "./model/grants";
import { loadSources } from "../shared/sources";
import type { History, HistoryEntry } from "./model/history";
import type { Pane } from "./model/pane";
import type { Workspace } from "./model/workspace";

const FIGURES_MS = 250;
const VIEWERS_MS = 2000;

export function usePanes(workspace: Workspace): readonly Pane[] {
  return useSyncExternalStore(workspace.subscribe, workspace.panes);
}

export function useHistory(history: History): readonly HistoryEntry[] {
  return useSyncExternalStore(history.subscribe, history.entries);
}

/** Whether the stream is known to have ended on the server, whoever has read it to its end. */
export function useHasEnded(history: History, id: string | undefined): boolean {
  return useSyncExternalStore(history.subscribe, () => id !== undefined && history.hasEnded(id));
}

export interface Told {
  /** Undefined until the server has told of them. */
  sources: Sources | undefined;
  /** It has, or it does not answer: there is nothing to wait for. */
  settled: boolean;
}

const NOTHING_TOLD: Told = { sources: undefined, settled: false };

/** The server's sources; asked for again with each new connection. */
export function useSources(client: StreamClient, connected: boolean): Told {
  const [told, setTold] = useState(NOTHING_TOLD);
  useEffect(() => {
    if (!connected) return undefined;
    const abort = new AbortController();
    loadSources(client.url, abort.signal).then(
      (sources) => {
        setTold({ sources, settled: true });
      },
      () => {
        if (!abort.signal.aborted) setTold(({ sources }) => ({ sources, settled: true }));
      },
    );
    return () => {
      abort.abort();
    };
  }, [client, connected]);
  return told;
}

/** The stream's figures, a few times a second while it runs. */
export function useFigures(stream: TextStream | undefined): StatsSnapshot | undefined {
  const state = useStreamValue(stream, ({ state }) => state);
  const [figures, setFigures] = useState<{ of: TextStream; stats: StatsSnapshot }>();
  useEffect(() => {
    if (!stream) return undefined;
    const read = (): void => {
      setFigures({ of: stream, stats: stream.stats.snapshot() });
    };
    const soon = setTimeout(read, 0);
    const timer = isOver(state) ? undefined : setInterval(read, FIGURES_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [stream, state]);
  return figures?.of === stream ? figures?.stats : undefined;
}

export interface Described {
  described?: StreamDescription;
  error?: StreamError;
}

/** How a stream is, asked again every two seconds while the page is visible and `active`. */
export function useDescription(
  client: StreamClient,
  id: string | undefined,
  active: boolean,
): Described {
  const [found, setFound] = useState<Described & { of?: string }>({});
  useEffect(() => {
    if (id === undefined || !active) return undefined;
    let current = true;
    const ask = (): void => {
      if (document.hidden || client.connection.transport === undefined) return;
      client.describe(id, { grant: grantFor(client.url, id) }).then(
        (described) => {
          if (current) setFound({ of: id, described });
        },
        (error: unknown) => {
          if (current) setFound({ of: id, error: error as StreamError });
        },
      );
    };
    ask();
    const timer = setInterval(ask, VIEWERS_MS);
    const unsubscribe = client.on("state", ask);
    document.addEventListener("visibilitychange", ask);
    return () => {
      current = false;
      clearInterval(timer);
      unsubscribe();
      document.removeEventListener("visibilitychange", ask);
    };
  }, [client, id, active]);
  return found.of === id ? found : {};
}

/** Seconds until `at` (of performance.now()), rounded up; undefined without one. */
export function useCountdown(at: number | undefined): number | undefined {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (at === undefined) return undefined;
    const tick = (): void => {
      setNow(performance.now());
    };
    const soon = setTimeout(tick, 0);
    const timer = setInterval(tick, 200);
    return () => {
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [at]);
  return at === undefined ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
