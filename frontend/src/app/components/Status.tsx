import { isOver, type StreamSnapshot, type TextStream } from "../../client";
import { useStreamValue } from "../../react";
import { useApp } from "../context";
import { useHasEnded } from "../hooks";
import type { Pane } from "../model/pane";
import { useWords, type Words } from "../i18n";

interface StatusProps extends Pick<Pane, "watching"> {
  stream: TextStream;
}

/** In a few words how the stream is, and at its end whether its text is exact. */
export function Status({ stream, watching }: StatusProps) {
  const words = useWords();
  const { history } = useApp();
  const id = useStreamValue(stream, (now) => now.id);
  const left = useHasEnded(history, id) ? words.states.leftEnded : words.states.left;
  const text = useStreamValue(stream, ({ snapshot }) => statusWords(snapshot, words, left));
  const verified = useStreamValue(stream, ({ result }) => result?.verified === true);
  return (
    <p className="status" role="status" data-verified={verified}>
      {text}
      {watching && <span className="note"> {words.watching}</span>}
    </p>
  );
}

function statusWords(
  { id, state, position, stopping, result, error }: StreamSnapshot,
  words: Words,
  left: string,
): string {
  if (result && (error === undefined || result.reason === "error")) {
    const how = words.ended[result.reason];
    return result.verified ? words.verified(how) : words.unverified(how);
  }
  if (isOver(state) && error?.code === "closed") return left;
  // One whose answer was lost may have been started.
  const never = id === undefined && error?.code !== "unreachable";
  if (isOver(state)) return never ? words.states.notStarted : words.states.failed;
  if (stopping && state !== "reconnecting") return words.states.stopping;
  // It may also wait in the middle of its text: nobody had read it, and others came before.
  const waits = position !== undefined && (state === "waiting" || state === "streaming");
  return waits ? words.states.inLine(position) : words.states[state];
}
