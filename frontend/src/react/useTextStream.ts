import { useCallback, useMemo, useState } from "react";
import type {
  Rate,
  StartOptions,
  StartRequest,
  StreamClient,
  StreamError,
  StreamResult,
  StreamState,
  TextStream,
} from "../client/index.js";
import { useStream } from "./hooks.js";

export interface TextStreamControls {
  /** Start a stream, in the place of the one shown; that one goes on. Undefined without a client. */
  start(request?: string | StartRequest, options?: StartOptions): TextStream | undefined;
  /** Show another one: of `client.restore()`, `client.resume(…)`, or none. */
  show(stream: TextStream | undefined): void;
  stop(): void;
  pause(): void;
  continue(): void;
  /** Rejects when the server does not allow it. */
  setRate(rate: Rate): Promise<void>;
}

export interface UseTextStream extends TextStreamControls {
  stream: TextStream | undefined;
  /** `idle` when there is no stream. */
  state: StreamState | "idle";
  text: string;
  offset: number;
  /** In the line of the source, 1 is next; undefined while it does not wait for one. */
  position: number | undefined;
  resumes: number;
  result: StreamResult | undefined;
  error: StreamError | undefined;
}

/**
 * One stream of `client`, and what to do with it.
 *
 *     const { text, state, start, stop } = useTextStream(client);
 *
 * When the component goes, the stream goes on: `client.streams` has it. The controls stay the same
 * functions until another stream is shown.
 */
export function useTextStream(
  client: StreamClient | undefined,
  initial?: TextStream,
): UseTextStream {
  const [stream, show] = useState(initial);
  const snapshot = useStream(stream);
  const start = useCallback(
    (request?: string | StartRequest, options?: StartOptions) => {
      const started = client?.start(request, options);
      if (started) show(started);
      return started;
    },
    [client],
  );
  const controls = useMemo(
    () => ({
      start,
      show,
      stop: () => void stream?.stopOrLeave(),
      pause: () => stream?.pause(),
      continue: () => stream?.continue(),
      setRate: (rate: Rate) => stream?.setRate(rate) ?? Promise.resolve(),
    }),
    [start, stream],
  );
  return {
    ...controls,
    stream,
    state: snapshot?.state ?? "idle",
    text: snapshot?.text ?? "",
    offset: snapshot?.offset ?? 0,
    position: snapshot?.position,
    resumes: snapshot?.resumes ?? 0,
    result: snapshot?.result,
    error: snapshot?.error,
  };
}
