import type { StreamError } from "./errors.js";

/**
 * - `connecting`: not connected yet, for the first time.
 * - `connected`: and the server takes streams.
 * - `draining`: connected, but the server goes down soon and takes no new streams.
 * - `reconnecting`: it was connected, and is not.
 * - `closed`: by `close()`, for good.
 */
export type ConnectionState = "connecting" | "connected" | "draining" | "reconnecting" | "closed";

/** What there is to show of a connection. Replaced, never changed. */
export interface ConnectionSnapshot {
  state: ConnectionState;
  /** While connected: `websocket` or `polling`. */
  transport: string | undefined;
  /** Tries to connect since the last sign of life. */
  attempts: number;
  /** When the next try is due, in ms of the clock (`performance.now()`), while one is awaited. */
  nextTryAt: number | undefined;
  /** While draining: seconds after which the server, or its successor, takes streams again. */
  retryAfter: number | undefined;
  /** Why it is not connected: `unreachable`, `origin_refused`, or what the server said. */
  error: StreamError | undefined;
}

export const UNCONNECTED: ConnectionSnapshot = {
  state: "connecting",
  transport: undefined,
  attempts: 0,
  nextTryAt: undefined,
  retryAfter: undefined,
  error: undefined,
};
