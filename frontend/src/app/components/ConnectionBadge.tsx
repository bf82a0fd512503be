import type { ConnectionSnapshot } from "../../client";
import { useApp } from "../context";
import { useWords } from "../i18n";

/** How long a connection that is cut to show what happens stays away. */
const CUT_MS = 4000;

/** In words how the connection is, and the button that breaks it. */
export function ConnectionBadge({ connection }: { connection: ConnectionSnapshot }) {
  const words = useWords();
  const { client } = useApp();
  const { state, transport } = connection;
  const over = transport === undefined ? undefined : (words.over[transport] ?? transport);
  return (
    <div className="connection" data-state={state}>
      <p role="status" className="badge">
        {words.connection[state]}
        {over !== undefined && <span className="transport"> · {over}</span>}
      </p>
      <button
        type="button"
        className="quiet cut"
        title={words.cutHint}
        disabled={transport === undefined}
        onClick={() => {
          client.dropConnection(CUT_MS);
        }}
      >
        {words.cut}
      </button>
    </div>
  );
}
