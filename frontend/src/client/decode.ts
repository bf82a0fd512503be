/**
 * Checks what the server sends before anything believes it.
 *
 * Unknown keys are allowed, since a newer server may add some; wrong types are not.
 */
import { notUnderstood, StreamError } from "./errors.js";
import type {
  EndReason,
  Format,
  Rate,
  Shared,
  ServerDraining,
  StreamChunk,
  StreamDescription,
  StreamEnd,
  StreamErrorEvent,
  StreamInfo,
  StreamWaiting,
  Unit,
} from "./protocol.js";

const UNITS: readonly Unit[] = ["char", "word", "token"];
const FORMATS: readonly Format[] = ["char", "chunk"];
const REASONS: readonly EndReason[] = [
  "completed",
  "length",
  "stopped",
  "replaced",
  "error",
  "expired",
  "shutdown",
];
const STATES: readonly StreamDescription["state"][] = [
  "created",
  "producing",
  "held",
  "produced",
  "ended",
];
const SHA256 = /^[0-9a-f]{64}$/;

type Fields = Record<string, unknown>;

/** The payload of `stream_start`, and `stream` in an answer. Throws `protocol_error`. */
export function decodeInfo(data: unknown): StreamInfo {
  const fields = object(data, "stream_start");
  const { id, source, unit, rate, format, offset } = fields;
  if (
    isId(id) &&
    typeof source === "string" &&
    isOneOf(UNITS, unit) &&
    isRate(rate) &&
    isOneOf(FORMATS, format) &&
    isCount(offset)
  )
    return { id, source, unit, rate, format, offset };
  throw notUnderstood("a wrong stream_start");
}

/** `key` in the answer to a start; a server that is older has none. */
export function decodeKey(data: unknown): string | undefined {
  return isId(data) ? data : undefined;
}

/** The answer to `share_stream`. Throws `protocol_error`. */
export function decodeShared({ grant, expires }: Fields): Shared {
  if (isId(grant) && isAmount(expires)) return { grant, expires };
  throw notUnderstood("a wrong answer to share_stream");
}

/** `stream` in the answer to `describe_stream`. Throws `protocol_error`. */
export function decodeDescription(data: unknown): StreamDescription {
  const fields = object(data, "an answer to describe_stream");
  const { id, source, unit, state, first, next, furthest, readers, reason } = fields;
  if (
    isId(id) &&
    typeof source === "string" &&
    isOneOf(UNITS, unit) &&
    isOneOf(STATES, state) &&
    isCount(first) &&
    isCount(next) &&
    isCount(furthest) &&
    isCount(readers) &&
    (reason === null || isOneOf(REASONS, reason))
  )
    return { id, source, unit, state, first, next, furthest, readers, reason };
  throw notUnderstood("a wrong answer to describe_stream");
}

/** The payload of `new_char`. Throws `protocol_error`. */
export function decodeChar(data: unknown): string {
  if (typeof data === "string" && data !== "") return data;
  throw notUnderstood("a wrong new_char");
}

/** The payload of `stream_chunk`. Throws `protocol_error`. */
export function decodeChunk(data: unknown): StreamChunk {
  const { id, offset, next, text } = object(data, "stream_chunk");
  if (
    isId(id) &&
    isCount(offset) &&
    isCount(next) &&
    typeof text === "string" &&
    next >= offset &&
    // Units are of one character or more, and none is without text.
    (next === offset) === (text === "") &&
    next - offset <= text.length
  )
    return { id, offset, next, text };
  throw notUnderstood("a wrong stream_chunk");
}

/** The payload of `stream_end`. Throws `protocol_error`. */
export function decodeEnd(data: unknown): StreamEnd {
  const { id, reason, offset, text_sha256 } = object(data, "stream_end");
  if (
    isId(id) &&
    isOneOf(REASONS, reason) &&
    isCount(offset) &&
    typeof text_sha256 === "string" &&
    SHA256.test(text_sha256)
  )
    return { id, reason, offset, text_sha256 };
  throw notUnderstood("a wrong stream_end");
}

/** `position` in the answer to a start or a resume; undefined where it does not wait. */
export function decodePosition(data: unknown): number | undefined {
  return isCount(data) && data > 0 ? data : undefined;
}

/** The payload of `stream_waiting`. Throws `protocol_error`. */
export function decodeWaiting(data: unknown): StreamWaiting {
  const { id, position } = object(data, "stream_waiting");
  if (isId(id) && isCount(position)) return { id, position };
  throw notUnderstood("a wrong stream_waiting");
}

/** The payload of `server_draining`. Throws `protocol_error`. */
export function decodeDraining(data: unknown): ServerDraining {
  const { retry_after } = object(data, "server_draining");
  if (isCount(retry_after)) return { retry_after };
  throw notUnderstood("a wrong server_draining");
}

/** The payload of `stream_error`. Throws `protocol_error`. */
export function decodeErrorEvent(data: unknown): StreamErrorEvent {
  const fields = object(data, "stream_error");
  const { id, code, message, retryable, first, retry_after, scope, position, reason } = fields;
  if (
    (id === undefined || isId(id)) &&
    typeof code === "string" &&
    typeof message === "string" &&
    typeof retryable === "boolean" &&
    (first === undefined || isCount(first)) &&
    (retry_after === undefined || isAmount(retry_after)) &&
    (scope === undefined || typeof scope === "string") &&
    (position === undefined || isCount(position)) &&
    (reason === undefined || typeof reason === "string")
  )
    return {
      ...(id === undefined ? {} : { id }),
      code,
      message,
      retryable,
      ...(first === undefined ? {} : { first }),
      ...(retry_after === undefined ? {} : { retry_after }),
      ...(scope === undefined ? {} : { scope }),
      ...(position === undefined ? {} : { position }),
      ...(reason === undefined ? {} : { reason }),
    };
  throw notUnderstood("a wrong stream_error");
}

/** The `error` of an answer, or of `stream_error`, as an exception. Never throws. */
export function decodeError(data: unknown): StreamError {
  try {
    const { code, message, retry_after: retryAfter, ...facts } = decodeErrorEvent(data);
    return new StreamError(code, message, { ...facts, retryAfter });
  } catch (error) {
    if (error instanceof StreamError) return error;
    throw error;
  }
}

/**
 * The fields of an answer `{ok: true, …}`.
 *
 * Throws the server's error for `{ok: false, error}`, and `protocol_error` for anything else.
 */
export function decodeAnswer(data: unknown): Fields {
  const fields = object(data, "answer");
  if (fields.ok === true) return fields;
  if (fields.ok === false) throw decodeError(fields.error);
  throw notUnderstood("a wrong answer");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A number of seconds, or of units per second. */
function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function object(data: unknown, what: string): Fields {
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as Fields;
  throw notUnderstood(`a wrong ${what}`);
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isRate(value: unknown): value is Rate {
  return value === "auto" || isAmount(value);
}

function isOneOf<T>(allowed: readonly T[], value: unknown): value is T {
  return (allowed as readonly unknown[]).includes(value);
}

/** Throws `invalid_request` when `value` is no position in a text. */
export function checkOffset(value: number): number {
  if (isCount(value)) return value;
  throw new StreamError("invalid_request", "offset: a whole number of units, 0 or more");
}
