import type { StreamSnapshot, TextStream } from "../../client";
import { useStreamValue } from "../hooks";
import { useWords, type Words } from "../i18n";

/** In a few words how the stream is, and at its end whether its text is exact. */
export function Status({ stream, watching }: { stream: TextStream; watching: boolean }) {
  const words = useWords();
  const text = useStreamValue(stream, ({ snapshot }) => statusWords(snapshot, words));
  const verified = useStreamValue(stream, ({ result }) => result?.verified === true);
  return (
    <p className="status" role="status" data-verified={verified}>
      {text}
      {watching && <span className="note"> {words.watching}</span>}
    </p>
  );
}

function statusWords({ state, stopping, result, error }: StreamSnapshot, words: Words): string {
  if (result && (error === undefined || result.reason === "error")) {
    const how = words.ended[result.reason];
    return result.verified ? words.verified(how) : words.unverified(how);
  }
  if (state === "ended" || state === "failed")
    return error?.code === "closed" ? words.states.left : words.states.failed;
  return stopping && state !== "reconnecting" ? words.states.stopping : words.states[state];
}
