/**
 * One connection to a server, as the library needs it. Tests hand in their own.
 *
 * How long it may take to open is not its business: the one that opens it has a timer for that.
 */

import type { AuthFields } from "./auth.js";

/** What a connection reports, until it was cut or closed; never from within the factory's call. */
export interface WireHandlers {
  /** It is open. */
  opened(): void;
  /** It could not be opened, or is gone. Nothing follows. */
  lost(reason: string): void;
  /**
   * The server refused it, with an error object of the protocol or something like it: when it was
   * opened, or already when it was asked for over HTTP. Nothing follows.
   */
  refused(data: unknown, message: string): void;
  /** It goes over another transport now: `websocket` or `polling`. */
  transport(name: string): void;
  event(name: string, data: unknown): void;
}

export interface Wire {
  /** Send an event; `answered` gets what the server acknowledges it with. */
  send(event: string, payload: object, answered: (answer: unknown) => void): void;
  /** Break it off, as a network would; the server is told nothing. */
  cut(): void;
  /** End it in good order. */
  close(): void;
  /** The page goes away: let the server know, without waiting for anything. */
  farewell(): void;
}

export interface WireOptions {
  /** In the order in which to try them. */
  transports: readonly ("websocket" | "polling")[];
  /** Where Socket.IO is on the server's origin. */
  path: string;
  /** Sent when it opens, for servers that ask who you are. */
  auth: AuthFields;
}

export type WireFactory = (url: string, options: WireOptions, handlers: WireHandlers) => Wire;
