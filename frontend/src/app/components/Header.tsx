import type { ConnectionSnapshot } from "../../client";
import { foreignOrigin } from "../../shared/foreign";
import type { Language } from "../../shared/language";
import { useApp } from "../context";
import { useWords } from "../i18n";
import { ConnectionBadge } from "./ConnectionBadge";
import { Preferences } from "./Preferences";

interface HeaderProps {
  connection: ConnectionSnapshot;
  language: Language;
  onLanguage: (language: Language) => void;
  onHistory: () => void;
  onShortcuts: () => void;
}

export function Header({ connection, language, onLanguage, onHistory, onShortcuts }: HeaderProps) {
  const words = useWords();
  const { client, own } = useApp();
  const foreign = foreignOrigin(client.url, own, location.href);
  return (
    <header className="header">
      <h1 className="brand">{words.title}</h1>
      {foreign !== undefined && (
        <p className="server" title={words.otherServer}>
          {foreign}
        </p>
      )}
      <ConnectionBadge connection={connection} />
      <div className="tools">
        <button type="button" className="quiet" onClick={onHistory}>
          {words.history}
        </button>
        <button type="button" className="quiet" popoverTarget="preferences">
          {words.settings}
        </button>
        <button
          type="button"
          className="quiet keyboard-only"
          aria-label={words.shortcuts}
          title={words.shortcuts}
          aria-keyshortcuts="Control+/ Meta+/"
          onClick={onShortcuts}
        >
          <span aria-hidden="true">?</span>
        </button>
      </div>
      <Preferences language={language} onLanguage={onLanguage} />
    </header>
  );
}
