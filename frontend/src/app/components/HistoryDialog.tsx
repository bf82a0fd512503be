import { useState } from "react";
import type { Rate } from "../../client";
import { useApp } from "../context";
import { useHistory } from "../hooks";
import { useWords } from "../i18n";
import { Dialog } from "./Dialog";
import { HistoryItem } from "./HistoryItem";
import { Speed } from "./Speed";

/** The streams of this browser: each can be opened, replayed and removed. */
export function HistoryDialog({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const { history, workspace } = useApp();
  const entries = useHistory(history);
  const [rate, setRate] = useState<Rate>(60);
  const show = (id: string, at?: Rate): void => {
    workspace.open(id, at);
    onClose();
  };
  return (
    <Dialog title={words.history} onClose={onClose}>
      {entries.length === 0 ? (
        <p className="note">{words.historyEmpty}</p>
      ) : (
        <>
          <p className="note">{words.historyKept}</p>
          <Speed label={words.replaySpeed} rate={rate} onChange={setRate} />
          <ul className="history">
            {entries.map((entry) => (
              <HistoryItem
                key={entry.id}
                entry={entry}
                onOpen={() => {
                  show(entry.id);
                }}
                onReplay={() => {
                  show(entry.id, rate);
                }}
                onRemove={() => {
                  history.remove(entry.id);
                }}
              />
            ))}
          </ul>
          <button
            type="button"
            className="quiet"
            onClick={() => {
              history.clear();
            }}
          >
            {words.removeAll}
          </button>
        </>
      )}
    </Dialog>
  );
}
