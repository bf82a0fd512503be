import type { EndReason, StreamError } from "../client";

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
