import { useTag, useWords, type Words } from "../i18n";
import type { HistoryEntry } from "../model/history";

interface HistoryItemProps {
  entry: HistoryEntry;
  onOpen: () => void;
  onReplay: () => void;
  onRemove: () => void;
}

export function HistoryItem({ entry, onOpen, onReplay, onRemove }: HistoryItemProps) {
  const words = useWords();
  const tag = useTag();
  const { prompt, source, watched, startedAt, state } = entry;
  const title = prompt === "" ? (watched ? words.watched : words.noPrompt) : prompt;
  const when = new Date(startedAt);
  const gone = state === "gone";
  return (
    <li>
      <p className="asked" dir="auto" title={title}>
        {title}
      </p>
      <p className="note">
        {source} ·{" "}
        <time dateTime={when.toISOString()}>
          {when.toLocaleString(tag, { dateStyle: "medium", timeStyle: "short" })}
        </time>{" "}
        · {stateWords(state, words)}
      </p>
      <div className="actions">
        <button
          type="button"
          disabled={gone}
          aria-label={`${words.open}: ${title}`}
          onClick={onOpen}
        >
          {words.open}
        </button>
        <button
          type="button"
          disabled={gone}
          aria-label={`${words.replay}: ${title}`}
          onClick={onReplay}
        >
          {words.replay}
        </button>
        <button
          type="button"
          className="quiet"
          aria-label={`${words.remove}: ${title}`}
          onClick={onRemove}
        >
          {words.remove}
        </button>
      </div>
    </li>
  );
}

function stateWords(state: HistoryEntry["state"], words: Words): string {
  if (state === undefined) return words.runs;
  if (state === "gone") return words.gone;
  return state === "failed" ? words.failedShort : words.ended[state];
}
