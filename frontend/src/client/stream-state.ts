/** What a stream shows: its state, its events, and all of it at once. */
import type { Chunk } from "./chunks.js";
import type { StreamError } from "./errors.js";
import type { Rate, StreamInfo } from "./protocol.js";
import type { Reader } from "./reader.js";
import type { StreamResult } from "./result.js";

/**
 * - `waiting`: asked for; nothing has arrived yet.
 * - `streaming`: it has begun.
 * - `paused`: by `pause()`.
 * - `reconnecting`: the connection is lost; it goes on when there is one.
 * - `ended`: as `result` says.
 * - `failed`: as `error` says.
 */
export type StreamState = "waiting" | "streaming" | "paused" | "reconnecting" | "ended" | "failed";

/** Whether a stream in this state has come to its end: no more of it arrives. */
export function isOver(state: StreamState | undefined): state is "ended" | "failed" {
  return state === "ended" || state === "failed";
}

export interface StreamEvents {
  /** More text. */
  text: Chunk;
  /** The text begins anew at this offset, after `seek`, or a restart. */
  reset: number;
  state: StreamState;
  /** It has ended or failed: the last event. */
  end: StreamSnapshot;
}

/** What there is to show of a stream. Replaced, never changed. */
export interface StreamSnapshot {
  id: string | undefined;
  info: StreamInfo | undefined;
  state: StreamState;
  text: string;
  offset: number;
  rate: Rate | undefined;
  /** Its place in the line of its source, 1 is next; undefined while it does not wait for one. */
  position: number | undefined;
  paused: boolean;
  stopping: boolean;
  resumes: number;
  result: StreamResult | undefined;
  error: StreamError | undefined;
}

export function stateOf(reader: Reader): StreamState {
  if (reader.settled) return reader.error ? "failed" : "ended";
  if (reader.info && !reader.attached && !reader.over) return "reconnecting";
  if (reader.paused) return "paused";
  return reader.assembler.text ? "streaming" : "waiting";
}
