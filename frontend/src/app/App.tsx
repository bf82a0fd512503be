import { useCallback, useEffect, useMemo, useState } from "react";
import { useConnection } from "../react";
import { chooseLanguage, initialLanguage, TAGS } from "../shared/language";
import { Banner } from "./components/Banner";
import { Boundary } from "./components/Boundary";
import { Composer } from "./components/Composer";
import { Header } from "./components/Header";
import { HistoryDialog } from "./components/HistoryDialog";
import { PaneView } from "./components/PaneView";
import { ShortcutsDialog } from "./components/ShortcutsDialog";
import { WatchDialog } from "./components/WatchDialog";
import { AppContext, type Parts } from "./context";
import { usePanes, useSources } from "./hooks";
import { LANGUAGES, WordsContext } from "./i18n";
import { running } from "./model/pane";
import { watchedId, withoutWatch } from "./model/share";
import { useShortcuts } from "./shortcuts";

type Open = "history" | "shortcuts" | undefined;

/** The page. */
export function App({ parts }: { parts: Parts }) {
  const { client, workspace } = parts;
  const [language, setLanguage] = useState(initialLanguage);
  const [open, setOpen] = useState<Open>();
  const panes = usePanes(workspace);
  const [watch, setWatch] = useState(() => unseen(parts, watchedId(location.search)));
  const connection = useConnection(client) ?? client.connection;
  const told = useSources(client, connection.transport !== undefined);
  const app = useMemo(() => ({ ...parts, ...told }), [parts, told]);
  const texts = useMemo(() => ({ words: LANGUAGES[language], tag: TAGS[language] }), [language]);
  useEffect(() => {
    document.documentElement.lang = texts.tag;
  }, [texts]);
  const openShortcuts = useCallback(() => {
    setOpen("shortcuts");
  }, []);
  useShortcuts(workspace, openShortcuts);

  const close = (): void => {
    setOpen(undefined);
  };
  const closeWatch = (): void => {
    history.replaceState(null, "", withoutWatch(location.href));
    setWatch(undefined);
  };
  const fresh = panes.length === 1 && panes[0]?.stream === undefined;
  return (
    <WordsContext value={texts}>
      <AppContext value={app}>
        <Header
          connection={connection}
          language={language}
          onLanguage={(chosen) => {
            chooseLanguage(chosen);
            setLanguage(chosen);
          }}
          onHistory={() => {
            setOpen("history");
          }}
          onShortcuts={openShortcuts}
        />
        <Banner connection={connection} />
        <main className="panes" data-count={panes.length} data-running={panes.some(running)}>
          {panes.map((pane, index) => (
            <Boundary key={pane.key}>
              <PaneView pane={pane} number={index + 1} alone={panes.length === 1} fresh={fresh} />
            </Boundary>
          ))}
        </main>
        <Composer panes={panes} />
        {open === "history" && <HistoryDialog onClose={close} />}
        {open === "shortcuts" && <ShortcutsDialog onClose={close} />}
        {watch !== undefined && <WatchDialog id={watch} onClose={closeWatch} />}
      </AppContext>
    </WordsContext>
  );
}

/** The stream to ask about; after a reload it is there already. */
function unseen({ workspace }: Parts, id: string | undefined): string | undefined {
  return workspace.panes().some(({ stream }) => stream?.id === id) ? undefined : id;
}
