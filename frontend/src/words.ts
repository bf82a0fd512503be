import type { StreamEnd, WireError } from "./protocol";

/** How a stream ended; a comma or a full stop follows. */
export const ENDED: Record<StreamEnd["reason"], string> = {
  completed: "Complete",
  length: "Complete, up to the length limit",
  stopped: "Stopped",
  replaced: "Replaced by another",
  error: "Broken off by an error",
  expired: "Ended because nobody was reading",
  shutdown: "Broken off: the server is going down",
};

/** What the server says of an error, as a sentence. It names the cure itself. */
export function explain({ message }: WireError): string {
  return message.charAt(0).toUpperCase() + message.slice(1).replace(/[.\s]*$/u, ".");
}
