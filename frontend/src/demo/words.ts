import type { EndReason, StreamError } from "../client";
import { connectionLimit, inWords, LIMITS_EN, streamLimit } from "../shared/limits";

/** How a stream ended; a comma or a full stop follows. */
const ENDED: Record<EndReason, string> = {
  completed: "Complete",
  length: "Complete, up to the length limit",
  stopped: "Stopped",
  replaced: "Replaced by another",
  error: "Broken off by an error",
  expired: "Ended because nobody was reading",
  shutdown: "Broken off when the server went down",
};

/** Why no stream was started: whose limit was reached, where it was one, and what the server says. */
export function notStartedBecause(error: StreamError): { words: string; detail?: string } {
  const said = explain(error);
  const limit = streamLimit(error, LIMITS_EN);
  // Where the server has told no more than its words, they are all there is to tell.
  const known = error.scope !== undefined || error.retryAfter !== undefined;
  return limit !== undefined && known ? { words: limit, detail: said } : { words: said };
}

/** Why there is no connection, though the server has answered. */
export function refusedBecause(error: StreamError): string {
  const { retryAfter } = error;
  const words = connectionLimit(error, LIMITS_EN) ?? explain(error);
  return retryAfter === undefined
    ? words
    : `${words} Trying again after ${inWords(retryAfter, "en")}.`;
}

/** What the server says of an error, as a sentence. It names the cure itself. */
export function explain({ message }: Pick<StreamError, "message">): string {
  return message.charAt(0).toUpperCase() + message.slice(1).replace(/[.\s]*$/u, ".");
}

/** Why the rest of a stream cannot be read. */
export function lostBecause(
  error: Pick<StreamError, "code" | "message">,
  restarting: boolean,
): string {
  if (error.code !== "unknown_stream") return explain(error);
  if (restarting) return "The server was restarted.";
  return "The server was restarted, or has forgotten this text meanwhile.";
}

/** How it ended; `lost` characters the server no longer had, and the rest is proved or not. */
export function verdict(
  reason: EndReason,
  lost: number,
  proof: "verified" | "whole" | "broken",
): string {
  if (lost) return `${ENDED[reason]}, but ${lost.toLocaleString("en")} characters are missing.`;
  if (proof === "broken") return `${ENDED[reason]}, but a part is missing. Start it again.`;
  return proof === "verified" ? `${ENDED[reason]}, verified.` : `${ENDED[reason]}.`;
}

/** Which characters are missing, counted from 1: those at the offsets `from` to `to` - 1. */
export function missing(from: number, to: number): string {
  const [first, last] = [from + 1, to].map((n) => n.toLocaleString("en"));
  return to - from === 1
    ? `Character ${first} is missing`
    : `Characters ${first} to ${last} are missing`;
}
