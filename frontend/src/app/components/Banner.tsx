import type { ConnectionSnapshot } from "../../client";
import { useApp } from "../context";
import { useCountdown } from "../hooks";
import { useWords } from "../i18n";
import { Problem } from "./Problem";

/** Says what is wrong with the connection, when the next try is, and lets one try now. */
export function Banner({ connection }: { connection: ConnectionSnapshot }) {
  const words = useWords();
  const { client } = useApp();
  const { state, nextTryAt, retryAfter, error } = connection;
  const seconds = useCountdown(nextTryAt);
  if (state === "draining")
    return (
      <aside className="banner" role="status">
        <p>{words.draining(retryAfter ?? 0)}</p>
      </aside>
    );
  // Nothing is tried by itself any more: somebody has to sign in.
  const rests = error?.code === "unauthorized" && nextTryAt === undefined;
  const shown = state === "reconnecting" || (state === "connecting" && error !== undefined);
  return (
    <aside className="banner" hidden={!shown}>
      <div role="status">
        {shown && (state === "reconnecting" ? <p>{words.lost}</p> : null)}
        {shown && error && (state === "connecting" || error.code !== "unreachable") && (
          <Problem error={error} connection />
        )}
      </div>
      {/* Not in the live region: it would be spoken each second. */}
      <span className="countdown">
        {rests ? null : seconds === undefined ? words.trying : words.tryingIn(seconds)}
      </span>
      <button
        type="button"
        disabled={nextTryAt === undefined && !rests}
        onClick={() => {
          client.retryNow();
        }}
      >
        {words.tryNow}
      </button>
    </aside>
  );
}
