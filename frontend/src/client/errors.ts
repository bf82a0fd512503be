/** Every error that the library reports, each with a code to branch on. */
import type { Scope } from "./protocol.js";

/** Codes that the server sends; docs/protocol.md says what each means. */
export const SERVER_CODES = [
  "invalid_request",
  "unknown_event",
  "unknown_source",
  "unknown_stream",
  "offset_gone",
  "source_unavailable",
  "source_failed",
  "too_many_streams",
  "rate_limited",
  "unauthorized",
  "forbidden",
  "shutting_down",
  "unavailable",
  "internal_error",
] as const;

/**
 * Codes of the library's own:
 *
 * - `unreachable`: nothing answers at the server's address, or it has stopped answering.
 * - `origin_refused`: the server is there, and does not accept pages of this origin.
 * - `text_mismatch`: the text that arrived is not the text that the server sent.
 * - `protocol_error`: the server sent what the protocol does not have.
 * - `closed`: the client was closed, or the stream was left.
 */
export const CLIENT_CODES = [
  "unreachable",
  "origin_refused",
  "text_mismatch",
  "protocol_error",
  "closed",
] as const;

export type ServerCode = (typeof SERVER_CODES)[number];
export type ClientCode = (typeof CLIENT_CODES)[number];

/** A code. A newer server may send one that this release does not know: a string stays allowed. */
export type ErrorCode = ServerCode | ClientCode | (string & Record<never, never>);

/** What went wrong, in words that name the cure. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  /** Stable across releases. */
  readonly code: ErrorCode;
  /** Whether the same request may succeed later, without a change. */
  readonly retryable: boolean;
  /** With `offset_gone`: the first unit that is still there. */
  readonly first: number | undefined;
  /** Seconds after which to ask again, where the server knows; may be a fraction. */
  readonly retryAfter: number | undefined;
  /** Whose limit was reached, if one was. */
  readonly scope: Scope | undefined;
  /** Where the line of a source is too long: the place it would have had, 1 is next. */
  readonly position: number | undefined;
  /** With `unauthorized`: `expired`, where a new token helps; `unavailable`, for now. */
  readonly reason: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorFacts = {}) {
    super(message);
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.first = options.first;
    this.retryAfter = options.retryAfter;
    this.scope = options.scope;
    this.position = options.position;
    this.reason = options.reason;
  }
}

/** What is known of an error besides its code and its message. */
interface ErrorFacts {
  retryable?: boolean | undefined;
  first?: number | undefined;
  retryAfter?: number | undefined;
  scope?: Scope | undefined;
  position?: number | undefined;
  reason?: string | undefined;
}

export function notUnderstood(what: string): StreamError {
  return new StreamError(
    "protocol_error",
    `The server sent ${what}. Use the same release of textstream on both sides.`,
  );
}

export function unreachable(url: string, reason: string): StreamError {
  return new StreamError(
    "unreachable",
    `No textstream server answers at ${url} (${reason}). Start it, or give its right address.`,
    { retryable: true },
  );
}

/** A question that no answer can come to: there is no connection, or it was lost meanwhile. */
export function unanswered(): StreamError {
  return new StreamError("unreachable", "There is no connection to the server now. Ask again.", {
    retryable: true,
  });
}

/** The server has no such stream, or has it no more. */
export function forgotten(): StreamError {
  return new StreamError(
    "unknown_stream",
    "The server does not know this stream any more: it was restarted, or the stream was " +
      "forgotten. Start it again.",
  );
}

export function originRefused(url: string, origin: string): StreamError {
  return new StreamError(
    "origin_refused",
    `The server at ${url} does not accept pages of the origin ${origin}. ` +
      `Start it with --cors-origins ${origin}.`,
  );
}

export function closed(what: string): StreamError {
  return new StreamError("closed", `${what} was closed.`);
}
