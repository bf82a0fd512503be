import { useApp } from "../context";
import { useDescription } from "../hooks";
import { useWords } from "../i18n";
import { focusText } from "../shortcuts";
import { Dialog } from "./Dialog";
import { Problem } from "./Problem";

/** For who comes by a link: what there is to watch, and from where. */
export function WatchDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const words = useWords();
  const { client, workspace } = useApp();
  const { described, error } = useDescription(client, id, true);
  // Without a connection it is still being looked for; the banner says what is wrong with that.
  const refused = error?.code === "unreachable" ? undefined : error;
  const watch = (from: "start" | "now"): void => {
    const pane = described && workspace.watch(described, from);
    onClose();
    // Nothing had the focus before: who reads with the keyboard came for the text.
    if (pane) focusText(pane.key);
  };
  const over = described?.state === "ended";
  return (
    <Dialog title={words.watchTitle} onClose={onClose}>
      {refused && (
        <div role="alert" className="problem">
          <Problem error={refused} />
        </div>
      )}
      {described ? (
        <>
          <p>{over ? words.watchEnded(described.source) : words.watchLive(described.source)}</p>
          <p className="note">{words.viewers(described.readers)}</p>
        </>
      ) : (
        !refused && <p role="status">{words.looking}</p>
      )}
      <div className="actions">
        <button
          type="button"
          className="primary"
          disabled={!described}
          onClick={() => {
            watch("start");
          }}
        >
          {words.fromStart}
        </button>
        {!over && (
          <button
            type="button"
            disabled={!described}
            onClick={() => {
              watch("now");
            }}
          >
            {words.fromNow}
          </button>
        )}
        <button type="button" className="quiet" onClick={onClose}>
          {words.notNow}
        </button>
      </div>
    </Dialog>
  );
}
