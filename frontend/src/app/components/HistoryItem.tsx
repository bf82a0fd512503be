import { useTag, useWords, type Words } from "../i18n";
import { beginning, type HistoryEntry } from "../model/history";

/** Of a prompt, in UTF-16 units: the name of each of its buttons has it, too. */
const TITLE = 120;

interface HistoryItemProps {
  entry: HistoryEntry;
  onOpen: () => void;
  onReplay: () => void;
  onRemove: () => void;
}

export function HistoryItem({ entry, onOpen, onReplay, onRemove }: HistoryItemProps) {
  const words = useWords();
  const tag = useTag();
  const { prompt, source, watched, startedAt, failure } = entry;
  const title = shortened(prompt) || (watched ? words.watched : words.noPrompt);
  const when = new Date(startedAt);
  const gone = failure === "gone";
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
        · {stateWords(entry, words)}
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

function shortened(prompt: string): string {
  const first = beginning(prompt, TITLE);
  return first === prompt ? prompt : `${first}…`;
}

function stateWords({ reason, failure }: HistoryEntry, words: Words): string {
  if (failure === "gone") return words.gone;
  if (reason !== undefined) return words.ended[reason];
  return failure === "failed" ? words.failedShort : words.runs;
}
