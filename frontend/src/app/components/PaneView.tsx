import { useEffect, useState } from "react";
import type { TextStream } from "../../client";
import { useStreamValue } from "../../react";
import { useApp } from "../context";
import { useWords } from "../i18n";
import { laterMarkdown } from "../later";
import type { Pane } from "../model/pane";
import { fieldErrors, fieldsOf } from "../model/schema";
import { chosen } from "../model/chosen";
import { Actions } from "./Actions";
import { Figures } from "./Figures";
import { PaneHeader } from "./PaneHeader";
import { PaneOptions } from "./PaneOptions";
import { Problem } from "./Problem";
import { Status } from "./Status";
import { TextView } from "./TextView";
import { Welcome } from "./Welcome";

interface PaneViewProps {
  pane: Pane;
  number: number;
  alone: boolean;
  /** Nothing has been asked yet. */
  fresh: boolean;
}

/** One stream: what it is asked with, its text, how it goes, and what can be done with it. */
export function PaneView({ pane, number, alone, fresh }: PaneViewProps) {
  const words = useWords();
  const { sources } = useApp();
  const [open, setOpen] = useState(false);
  const { stream } = pane;
  const { view } = pane.settings;
  useEffect(() => {
    // As soon as it is chosen: the first answer is to begin as Markdown. Who needs it looks for it.
    if (view === "markdown") laterMarkdown.load().catch(() => undefined);
  }, [view]);
  const state = useStreamValue(stream, ({ state }) => state) ?? "idle";
  const error = useStreamValue(stream, ({ error }) => error);
  const source = chosen(sources, pane.settings.source);
  // What the server says of a field is shown at the field, and above it all in short.
  const errors = error ? fieldErrors(error.message, fieldsOf(source?.params)) : {};
  const atFields = Object.keys(errors).length > 0;
  const optionsId = `${pane.key}-options`;
  return (
    <section
      className="pane"
      aria-label={words.pane(number)}
      data-pane={pane.key}
      data-state={state}
      data-alone={alone}
    >
      <PaneHeader
        pane={pane}
        alone={alone}
        optionsId={optionsId}
        optionsOpen={open || atFields}
        onOptions={() => {
          setOpen(!open);
        }}
      />
      {(open || atFields) && (
        <PaneOptions id={optionsId} pane={pane} source={source} errors={errors} />
      )}
      {stream ? (
        <TextView key={streamKey(stream)} pane={pane} stream={stream} number={number} />
      ) : (
        <div className="scroller" tabIndex={-1}>
          {fresh ? <Welcome paneKey={pane.key} /> : <p className="empty">{words.emptyPane}</p>}
        </div>
      )}
      {stream && (
        <footer className="pane-footer">
          <Status stream={stream} watching={pane.watching} />
          <div role="alert" className="problem">
            {error && error.code !== "closed" && <Problem error={error} />}
          </div>
          <Actions pane={pane} stream={stream} alone={alone} />
          <Figures stream={stream} />
        </footer>
      )}
    </section>
  );
}

const keys = new WeakMap<TextStream, number>();
let known = 0;

/** A key of its own for each stream, also before it has an id: another stream is another text. */
function streamKey(stream: TextStream): number {
  let key = keys.get(stream);
  if (key === undefined) keys.set(stream, (key = known += 1));
  return key;
}
