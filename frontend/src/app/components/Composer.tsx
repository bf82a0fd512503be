import {
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
} from "react";
import { enteredEarly, focusAtFirst, isComposing } from "../../shared/typing";
import { useApp } from "../context";
import { useWords } from "../i18n";
import { launch } from "../model/launch";
import { running, type Pane } from "../model/pane";
import { chosen } from "../model/chosen";
import { MOST_PANES } from "../model/workspace";
import { stopConcerned } from "../shortcuts";

/** The prompt, which goes to all panes. */
export function Composer({ panes }: { panes: readonly Pane[] }) {
  const words = useWords();
  const { workspace, sources, settled, early } = useApp();
  // The text stays in the element: typing renders nothing.
  const prompt = useRef<HTMLTextAreaElement>(null);
  // Entered, and it is not known yet from which source: the server's own choice may be another.
  const [waiting, setWaiting] = useState(() => early !== undefined && enteredEarly(early));
  const [typing] = useState(() => document.activeElement === early);
  const [problem, setProblem] = useState("");
  const active = panes.filter(running).length;
  // What is only watched is not stopped, whatever is pressed.
  const watches = active > 0 && panes.filter(running).every(({ watching }) => watching);
  const repeats = panes.every(({ settings }) => chosen(sources, settings.source)?.name === "text");

  useLayoutEffect(() => {
    if (!prompt.current) return;
    if (early) prompt.current.setSelectionRange(early.selectionStart, early.selectionEnd);
    focusAtFirst(prompt.current, typing);
  }, [early, typing]);

  const start = (): void => {
    setWaiting(!settled);
    if (!settled) return;
    const found = panes.map((pane) => ({
      pane,
      what: launch(pane, sources, prompt.current?.value ?? ""),
    }));
    for (const [index, { what }] of found.entries()) {
      if (!("problem" in what)) continue;
      const where = `${words.pane(index + 1)}, `;
      setProblem(
        what.problem === "prompt"
          ? words.needsPrompt
          : `${where}${what.title}: ${words.problems[what.what]}`,
      );
      if (what.problem === "prompt") prompt.current?.focus();
      return;
    }
    setProblem("");
    for (const { pane, what } of found) if ("asked" in what) workspace.start(pane.key, what.asked);
  };
  const startNow = useEffectEvent(start);
  useEffect(() => {
    if (!waiting || !settled) return undefined;
    const soon = setTimeout(startNow, 0);
    return () => {
      clearTimeout(soon);
    };
  }, [waiting, settled]);

  const pressed = (event: KeyboardEvent): void => {
    // While an input method composes, Enter is its own: it accepts a word.
    if (isComposing(event.nativeEvent)) return;
    if (event.key === "Escape") setWaiting(false);
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    start();
  };

  return (
    <footer className="composer">
      <p role="alert" className="problem">
        {problem}
      </p>
      {waiting && (
        <p role="status" className="note">
          {words.startsSoon}
        </p>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <label htmlFor="prompt" className="hidden">
          {words.prompt}
        </label>
        <textarea
          id="prompt"
          ref={prompt}
          rows={2}
          dir="auto"
          maxLength={500_000}
          enterKeyHint="go"
          defaultValue={early?.value}
          placeholder={repeats ? words.textHint : words.promptHint}
          onKeyDown={pressed}
          onInput={() => {
            if (problem) setProblem("");
          }}
        />
        <div className="row">
          <button
            type="button"
            className="quiet"
            disabled={panes.length >= MOST_PANES}
            onClick={() => {
              workspace.add();
            }}
          >
            + {words.addPane}
          </button>
          <span className="buttons">
            <button
              type="button"
              aria-disabled={active === 0 && !waiting}
              aria-keyshortcuts="Escape"
              onClick={() => {
                setWaiting(false);
                stopConcerned(workspace);
              }}
            >
              {watches ? words.leave : active > 1 ? words.stopAll : words.stop}{" "}
              <kbd aria-hidden="true">Esc</kbd>
            </button>
            <button type="submit" className="primary">
              {panes.length > 1 ? words.startAll(panes.length) : words.start}{" "}
              <kbd aria-hidden="true">↵</kbd>
            </button>
          </span>
        </div>
      </form>
    </footer>
  );
}
