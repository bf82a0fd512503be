import type { Entry } from "./state";
import { useLabWords } from "./words";

/** What was sent and received, the newest first. */
export function EventLog({ entries, onClear }: { entries: readonly Entry[]; onClear: () => void }) {
  const words = useLabWords();
  return (
    <section className="log" aria-labelledby="log">
      <header>
        <h2 id="log">{words.log}</h2>
        <button type="button" className="quiet" onClick={onClear}>
          {words.clear}
        </button>
      </header>
      {entries.length === 0 && <p className="note">{words.empty}</p>}
      <ol reversed tabIndex={0} aria-labelledby="log">
        {entries.map(({ key, at, sent, event, data }) => (
          <li key={key} data-sent={sent}>
            <span className="arrow" aria-hidden="true">
              {sent ? "→" : "←"}
            </span>
            <span className="hidden">{sent ? words.sent : words.received}</span>
            <code>{event}</code>
            <time>{new Date(at).toLocaleTimeString()}</time>
            <span className="data" dir="auto">
              {data}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
