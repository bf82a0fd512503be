/**
 * Connections that are refused before there is one: by an HTTP answer to the opening request.
 *
 * Of a request that polls, the library for Socket.IO hands on what was answered. Of a WebSocket, no page
 * is told more than that it failed.
 */
import { decodeErrorEvent } from "./decode.js";
import type { WireError } from "./protocol.js";

/** An answer to an opening request. */
export interface OpeningAnswer {
  status: number;
  body: string;
  /** One of its headers. Of another origin's, a browser complains when a page so much as asks. */
  header: (name: string) => string | null;
}

/** By this name (RFC 9110, 15.5.20); for this client (RFC 6585, 4), and for all (RFC 9110, 15.6.4). */
const REFUSALS = [421, 429, 503];

/** What an answer says, as an error object, where it refuses a connection, for a while or for good. */
export function refusalIn({ status, body, header }: OpeningAnswer): WireError | undefined {
  if (!REFUSALS.includes(status)) return undefined;
  try {
    return decodeErrorEvent(JSON.parse(body));
  } catch {
    // It comes from a proxy, whose 503 says that no server is behind it.
    if (status !== 429) return undefined;
  }
  const wait = header("Retry-After") ?? "";
  return {
    code: "rate_limited",
    message: "A proxy in front of the server takes no connection from here for now (HTTP 429).",
    retryable: true,
    ...(/^\d+$/.test(wait) && { retry_after: Number(wait) }),
  };
}

/** The same of what `socket.io-client` gives as the context of an error: the request, if it polled. */
export function refusalOf(context: unknown): WireError | undefined {
  if (typeof context !== "object" || context === null || !("responseText" in context))
    return undefined;
  const request = context as XMLHttpRequest;
  return refusalIn({
    status: request.status,
    body: request.responseText,
    header: (name) => request.getResponseHeader(name),
  });
}

/**
 * Ask by polling why a WebSocket was refused, for a client that does not poll: others hear it anyway.
 *
 * There is no other way to know. It costs one more opening request; where that one is let in, its
 * session is ended at once.
 *
 * @param address of Socket.IO, with a slash at its end
 */
export async function askWhy(address: string, signal: AbortSignal): Promise<WireError | undefined> {
  const opening = `${address}?EIO=4&transport=polling`;
  const response = await fetch(opening, { cache: "no-store", signal });
  const body = await response.text();
  const sid = response.ok && /"sid":"([^"]+)"/.exec(body)?.[1];
  // Not with the signal: it is to be ended whatever happens meanwhile. "1" is Engine.IO's "close".
  if (sid) await fetch(`${opening}&sid=${sid}`, { method: "POST", body: "1", keepalive: true });
  return refusalIn({
    status: response.status,
    body,
    header: (name) => response.headers.get(name),
  });
}
