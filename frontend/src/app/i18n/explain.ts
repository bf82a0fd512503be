import type { StreamError } from "../../client";
import type { Words } from "./en";

export interface Explanation {
  /** What is wrong and what to do, in the reader's language. */
  words: string;
  /** What the server says, as it says it: it names keys and commands. */
  detail?: string;
}

/** What an error means for who reads it. `server` and `origin`: the two sides, as addresses. */
export function explain(
  { code, message }: Pick<StreamError, "code" | "message">,
  words: Words,
  server: string,
  origin: string,
): Explanation {
  const { errors } = words;
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
    case "too_many_streams":
      return { words: errors.tooMany };
    case "rate_limited":
      return { words: errors.rateLimited };
    case "source_failed":
      return { words: errors.sourceFailed, detail: message };
    case "shutting_down":
      return { words: errors.shuttingDown };
    case "unauthorized":
    case "forbidden":
      return { words: errors.forbidden, detail: message };
    case "internal_error":
      return { words: errors.internal };
    case "text_mismatch":
      return { words: errors.mismatch };
    case "protocol_error":
      return { words: errors.protocol };
    case "closed":
      return { words: words.states.left };
    default:
      return { words: errors.invalid, detail: message };
  }
}
