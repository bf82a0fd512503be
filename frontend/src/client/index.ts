/** The client library: `StreamClient` is where to begin. README.md shows how. */
export type { Auth, AuthFields } from "./auth.js";
export type { Backoff } from "./backoff.js";
export type { Chunk } from "./chunks.js";
export {
  StreamClient,
  type ClientEvents,
  type ResumeOptions,
  type StartOptions,
  type StartRequest,
} from "./client.js";
export type { Clock } from "./clock.js";
export type { ConnectionSnapshot, ConnectionState } from "./connection-state.js";
export { StreamError, type ClientCode, type ErrorCode, type ServerCode } from "./errors.js";
export { checkedUrl, socketIoPath, writtenUrl, type ClientOptions } from "./options.js";
export type { Finding, Probe } from "./probe.js";
export type {
  EndReason,
  Rate,
  Scope,
  Shared,
  SourceInfo,
  Sources,
  StreamDescription,
  StreamInfo,
  Unit,
} from "./protocol.js";
export type { StreamResult } from "./result.js";
export type { StatsSnapshot, StreamStats } from "./stats.js";
export type { RememberedStream, StorageLike, StreamStore } from "./store.js";
export {
  isOver,
  type StreamEvents,
  type StreamSnapshot,
  type StreamState,
} from "./stream-state.js";
export type { TextStream } from "./stream.js";
export type { Wire, WireFactory, WireHandlers, WireOptions } from "./wire.js";
