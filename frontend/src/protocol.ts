/** The wire, as docs/protocol.md has it and textstream/protocol.py spells it, in the same order. */

export type Rate = number | "auto"; // units per second; 0 is as fast as the reader reads

export interface StartStream {
  source?: string;
  prompt?: string; // for the source "text", `text` instead: the text itself
  text?: string;
  unit?: "char" | "word" | "token";
  rate?: Rate;
  request_id?: string; // the same one again answers with the stream that it already started
}

export interface StreamInfo {
  id: string;
  source: string;
  unit: "char" | "word" | "token";
  rate: Rate;
  format: "char" | "chunk";
  offset: number; // in units, from the start of the text
}

export interface StreamEnd {
  id: string;
  reason: "completed" | "length" | "stopped" | "replaced" | "error" | "expired" | "shutdown";
  offset: number; // the number of units in all
  text_sha256: string; // of the whole text
}

export interface WireError {
  code: string;
  message: string; // names the cure
  retryable: boolean;
  first?: number; // with offset_gone: the first offset that is still there
}

export interface ServerDraining {
  retry_after: number; // seconds
}

export type StreamError = WireError & { id?: string };

export type Answer<T = object> = ({ ok: true } & T) | { ok: false; error: WireError };

export interface ClientEvents {
  start_stream(payload: StartStream, ack: (answer: Answer<{ stream: StreamInfo }>) => void): void;
  stop_stream(payload: { id: string }, ack: (answer: Answer<{ offset: number }>) => void): void;
  set_rate(payload: { id: string; rate: Rate }, ack: (answer: Answer) => void): void;
  resume_stream(
    payload: { id: string; offset: number; rate?: Rate },
    ack: (answer: Answer<{ stream: StreamInfo }>) => void,
  ): void;
}

export interface ServerEvents {
  stream_start(stream: StreamInfo): void;
  new_char(unit: string): void;
  stream_end(end: StreamEnd): void;
  stream_error(error: StreamError): void;
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
}

export interface Sources {
  preferred: string;
  default: string;
  sources: SourceInfo[];
}
