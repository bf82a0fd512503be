import { useId, useState } from "react";
import { isOver, type TextStream } from "../../client";
import { useStreamValue } from "../../react";
import { useApp } from "../context";
import { useWords } from "../i18n";
import { launch } from "../model/launch";
import type { Pane } from "../model/pane";
import { save } from "../model/save";
import { focusText } from "../shortcuts";
import { CopyButton } from "./CopyButton";
import { ShareDialog } from "./ShareDialog";

interface ActionsProps {
  pane: Pane;
  stream: TextStream;
  /** There is no other pane: the button beside the prompt stops this one. */
  alone: boolean;
}

/** What can be done with a stream. */
export function Actions({ pane, stream, alone }: ActionsProps) {
  const words = useWords();
  const { workspace, sources, settled } = useApp();
  const whyId = useId();
  const [sharing, setSharing] = useState(false);
  const state = useStreamValue(stream, ({ state }) => state);
  const paused = useStreamValue(stream, ({ snapshot }) => snapshot.paused);
  const id = useStreamValue(stream, ({ id }) => id);
  const over = isOver(state);
  const again = (): void => {
    const what = launch(pane, sources, pane.prompt ?? "");
    if (!("asked" in what)) return;
    workspace.start(pane.key, what.asked);
    focusText(pane.key); // The button has gone.
  };
  return (
    <>
      <div className="actions">
        {over ? (
          pane.prompt !== undefined && (
            <button
              type="button"
              disabled={pane.cut || !settled}
              aria-describedby={pane.cut ? whyId : undefined}
              onClick={again}
            >
              {words.again}
            </button>
          )
        ) : (
          <>
            <button
              type="button"
              onClick={() => {
                if (paused) stream.continue();
                else stream.pause();
              }}
            >
              {paused ? words.continue : words.pause}
            </button>
            {(!alone || pane.watching) && (
              <button
                type="button"
                onClick={() => {
                  workspace.stop(pane.key);
                }}
              >
                {pane.watching ? words.leave : words.stop}
              </button>
            )}
          </>
        )}
        <CopyButton label={words.copy} text={() => stream.text} />
        <button
          type="button"
          onClick={() => {
            save(stream.text, `textstream-${id?.slice(0, 8) ?? "text"}`, pane.settings.view);
          }}
        >
          {words.save}
        </button>
        <button
          type="button"
          disabled={id === undefined}
          onClick={() => {
            setSharing(true);
          }}
        >
          {words.share}
        </button>
        {over && pane.cut && (
          <p id={whyId} className="note">
            {words.promptCut}
          </p>
        )}
      </div>
      {sharing && id !== undefined && (
        <ShareDialog
          stream={stream}
          id={id}
          watching={pane.watching}
          onClose={() => {
            setSharing(false);
          }}
        />
      )}
    </>
  );
}
