/** The wire, as docs/protocol.md has it and textstream/protocol.py spells it, in the same order. */

export type Unit = "char" | "word" | "token";
export type Format = "char" | "chunk";
export type Rate = number | "auto"; // units per second; 0 is as fast as the reader reads
export type EndReason =
  "completed" | "length" | "stopped" | "replaced" | "error" | "expired" | "shutdown";

export interface StartStream {
  source?: string;
  prompt?: string; // for the source "text", `text` instead: the text itself
  text?: string;
  unit?: Unit;
  rate?: Rate;
  format?: Format;
  params?: Record<string, unknown>; // as the source's JSON schema says
  on_disconnect?: "continue" | "cancel"; // when its last reader has gone
  request_id?: string; // the same one again answers with the stream that it already started
}

export interface StreamRef {
  id: string;
}

/** To stop or to unshare it. */
export interface OwnStream {
  id: string;
  key?: string; // the stream's, where the client has not started it
}

export interface ShareStream extends OwnStream {
  expires?: number; // seconds, a day by default, seven at most
}

export interface DescribeStream extends OwnStream {
  grant?: string; // what lets one read it, where that is needed
}

export interface SetRate {
  id: string;
  rate: Rate;
}

export interface ResumeStream {
  id: string;
  offset: number;
  key?: string; // the stream's: the connection owns it then
  grant?: string; // from its owner: the connection may read it
  rate?: Rate;
  format?: Format;
}

export interface Authenticate {
  token: string; // a newer one of the same user
}

export interface StreamInfo {
  id: string;
  source: string;
  unit: Unit;
  rate: Rate;
  format: Format;
  offset: number; // in units, from the start of the text
}

/** How a stream is now, for whoever may join it: the answer to `describe_stream`. */
export interface StreamDescription {
  id: string;
  source: string;
  unit: Unit;
  state: "created" | "producing" | "held" | "produced" | "ended";
  first: number; // the units first … next - 1 can be read
  next: number;
  furthest: number; // the unit after the last that any reader was sent: join here from now on
  readers: number; // how many read it now
  reason: EndReason | null; // how it ended
}

/** What lets others read a stream: the answer to `share_stream`. */
export interface Shared {
  grant: string;
  expires: number; // seconds from then
}

export interface StreamChunk {
  id: string;
  offset: number;
  next: number; // the unit after its last
  text: string; // the units offset … next-1, joined
}

export interface StreamEnd {
  id: string;
  reason: EndReason;
  offset: number; // the number of units in all
  text_sha256: string; // of the whole text
}

export interface StreamWaiting {
  id: string;
  position: number; // in the line of its source, 1 is next; 0: its turn has come
}

export interface ServerDraining {
  retry_after: number; // seconds
}

/** Whose limit was reached. A newer server may name another: a string stays allowed. */
export type Scope =
  "you" | "connection" | "address" | "source" | "server" | (string & Record<never, never>);

export interface WireError {
  code: string;
  message: string; // names the cure
  retryable: boolean;
  first?: number; // with offset_gone: the first unit still there
  retry_after?: number; // seconds after which to ask again, where that is known; may be a fraction
  scope?: Scope;
  position?: number; // where a source's line is too long: the place it would have had
  reason?: string; // with unauthorized: "expired", where a new token helps; or "unavailable"
}

/** The payload of `stream_error`; the class StreamError is made from it. */
export type StreamErrorEvent = WireError & { id?: string };

export type Answer<T = object> = ({ ok: true } & T) | { ok: false; error: WireError };

interface Begun {
  stream: StreamInfo;
  position?: number; // while it waits for its source, as in `stream_waiting`
}

type Ack<T = object> = (answer: Answer<T>) => void;

export interface ClientEvents {
  start_stream(payload: StartStream, ack: Ack<Begun & { key: string }>): void;
  stop_stream(payload: OwnStream, ack: Ack<{ offset: number }>): void;
  pause_stream(payload: StreamRef, ack: Ack<{ offset: number }>): void;
  continue_stream(payload: StreamRef, ack: Ack<{ offset: number }>): void;
  leave_stream(payload: StreamRef, ack: Ack<{ offset: number }>): void;
  set_rate(payload: SetRate, ack: Ack<{ rate: Rate }>): void;
  resume_stream(payload: ResumeStream, ack: Ack<Begun & { recovered: true }>): void;
  describe_stream(payload: DescribeStream, ack: Ack<{ stream: StreamDescription }>): void;
  share_stream(payload: ShareStream, ack: Ack<Shared>): void;
  unshare_stream(payload: OwnStream, ack: Ack<{ detached: number }>): void;
  authenticate(payload: Authenticate, ack: Ack<{ expires?: number }>): void;
}

export interface ServerEvents {
  stream_start(stream: StreamInfo): void;
  new_char(unit: string): void;
  stream_chunk(chunk: StreamChunk): void;
  stream_end(end: StreamEnd): void;
  stream_error(error: StreamErrorEvent): void;
  stream_waiting(waiting: StreamWaiting): void;
  server_draining(draining: ServerDraining): void;
}

/** One entry of `GET /api/sources`. */
export interface SourceInfo {
  name: string;
  description: string;
  live: boolean; // whether the text arrives while it is generated
  needs_prompt: boolean;
  available: boolean;
  error?: string; // why it is not available, and what cures it
  params?: Record<string, unknown>; // a JSON schema
}

export interface Sources {
  preferred: string;
  default: string;
  sources: SourceInfo[];
}
