import { useStreamValue } from "../../react";
import { useApp } from "../context";
import { useWords } from "../i18n";
import { running, type Pane } from "../model/pane";
import { chosen } from "../model/chosen";
import { Speed } from "./Speed";

interface PaneHeaderProps {
  pane: Pane;
  alone: boolean;
  optionsId: string;
  optionsOpen: boolean;
  onOptions: () => void;
}

export function PaneHeader({ pane, alone, optionsId, optionsOpen, onOptions }: PaneHeaderProps) {
  const words = useWords();
  const { workspace, sources } = useApp();
  const id = `${pane.key}-source`;
  // Of what is read now; else of the next prompt.
  const reading = useStreamValue(pane.stream, (stream) =>
    running({ stream }) ? stream.rate : undefined,
  );
  return (
    <header className="pane-header">
      <span className="field">
        <label htmlFor={id}>{words.source}</label>
        <select
          id={id}
          value={chosen(sources, pane.settings.source)?.name ?? pane.settings.source}
          onChange={(event) => {
            workspace.configure(pane.key, { source: event.target.value });
          }}
        >
          {!sources && <option value={pane.settings.source}>{pane.settings.source || "…"}</option>}
          {sources?.sources.map(({ name, available }) => (
            <option key={name} value={name} disabled={!available}>
              {available ? name : words.unavailable(name)}
            </option>
          ))}
        </select>
      </span>
      <Speed
        label={words.speed}
        rate={reading ?? pane.settings.rate}
        onChange={(rate) => {
          workspace.configure(pane.key, { rate });
        }}
      />
      <span className="pane-tools">
        <button
          type="button"
          className="quiet"
          aria-expanded={optionsOpen}
          aria-controls={optionsOpen ? optionsId : undefined}
          onClick={onOptions}
        >
          {words.options}
        </button>
        {!alone && (
          <button
            type="button"
            className="quiet"
            aria-label={words.closePane}
            title={words.closePane}
            onClick={() => {
              workspace.close(pane.key);
            }}
          >
            ×
          </button>
        )}
      </span>
    </header>
  );
}
