import type { Chunk } from "./chunks.js";
import type { Assembler } from "./assembler.js";
import { sha256 } from "./digest.js";
import { StreamError } from "./errors.js";
import type { EndReason, StreamEnd } from "./protocol.js";

/** These reasons end a stream at its last unit; the others at any point. */
export const AT_THE_END: readonly EndReason[] = ["completed", "length", "error"];

/** How a stream ended. */
export interface StreamResult {
  reason: EndReason;
  /** The number of its units in all. */
  offset: number;
  /** SHA-256 of the whole text as the server has it, in hex; undefined when it did not say. */
  sha256: string | undefined;
  /**
   * Whether the text that was assembled is the server's, to the last byte. Undefined when it cannot
   * be told: this reader does not have all of the text, or the page has no `crypto.subtle` (plain
   * HTTP from another host than localhost).
   */
  verified: boolean | undefined;
}

/** Told of what happens to a reader. */
export interface Observer {
  chunk(chunk: Chunk): void;
  /** The text begins anew, at `offset`. */
  reset(offset: number): void;
  changed(): void;
  /** It has its result, or its error, or both. */
  settled(): void;
}

/** Compare the text with what the server says of it. `cause` is what it said is wrong, if anything. */
export async function conclusion(
  end: StreamEnd,
  assembler: Assembler,
  cause: StreamError | undefined,
): Promise<{ result: StreamResult; error: StreamError | undefined }> {
  const whole = assembler.first === 0 && assembler.offset === end.offset;
  const digest = whole ? await sha256(assembler.text) : undefined;
  const verified = digest === undefined ? undefined : digest === end.text_sha256;
  let error;
  if (end.reason === "error")
    error = cause ?? new StreamError("source_failed", "The source failed.", { retryable: true });
  else if (verified === false)
    error = new StreamError(
      "text_mismatch",
      "The text that arrived is not the text that the server sent. Start it again.",
      { retryable: true },
    );
  const { reason, offset, text_sha256 } = end;
  return { result: { reason, offset, sha256: text_sha256, verified }, error };
}
