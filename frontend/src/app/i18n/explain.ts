import type { StreamError } from "../../client";
import { connectionLimit, type Limit, sentences, streamLimit } from "../../shared/limits";
import type { Words } from "./en";

export interface Explanation {
  /** What is wrong and what to do, in the reader's language. */
  words: string;
  /** What the server says, as it says it: it names keys and commands. */
  detail?: string;
}

/** An error, with what is known of it. */
export type Known = Limit & Pick<StreamError, "message">;

/** What an error means for who reads it. `server` and `origin`: the two sides, as addresses. */
export function explain(error: Known, words: Words, server: string, origin: string): Explanation {
  const { limits } = words;
  const { message, retryAfter } = error;
  const limit = streamLimit(error, limits);
  if (limit !== undefined) return { words: limit, detail: message };
  const said = explainCode(error, words, server, origin);
  if (retryAfter === undefined) return said;
  return { ...said, words: sentences(said.words, limits.againIn(retryAfter)) };
}

/** What it means that there is no connection. When it is tried again is told beside it. */
export function explainConnection(
  error: Known,
  words: Words,
  server: string,
  origin: string,
): Explanation {
  const limit = connectionLimit(error, words.limits);
  if (limit !== undefined) return { words: limit, detail: error.message };
  return explainCode(error, words, server, origin);
}

function explainCode(
  { code, message }: Known,
  { errors, states }: Words,
  server: string,
  origin: string,
): Explanation {
  switch (code) {
    case "origin_refused":
      return { words: errors.origin(server, origin) };
    case "unreachable":
      return { words: errors.unreachable(server) };
    case "source_unavailable":
      return { words: errors.sourceUnavailable, detail: message };
    case "unknown_source":
      return { words: errors.unknownSource };
    case "unknown_stream":
      return { words: errors.unknownStream };
    case "offset_gone":
      return { words: errors.offsetGone };
    case "source_failed":
      return { words: errors.sourceFailed, detail: message };
    case "shutting_down":
    case "unavailable":
      return { words: errors.shuttingDown };
    case "unauthorized":
      return { words: errors.unauthorized, detail: message };
    case "forbidden":
      return { words: errors.forbidden, detail: message };
    case "internal_error":
      return { words: errors.internal };
    case "text_mismatch":
      return { words: errors.mismatch };
    case "protocol_error":
      return { words: errors.protocol };
    case "closed":
      return { words: states.left };
    default:
      return { words: errors.invalid, detail: message };
  }
}
