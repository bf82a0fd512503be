import { useEffect } from "react";
import { running } from "./model/pane";
import type { Workspace } from "./model/workspace";

/** The pane that holds the focus, as its element says. */
function focusedPane(): string | undefined {
  return document.activeElement?.closest<HTMLElement>("[data-pane]")?.dataset.pane;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["range", "radio", "checkbox"].includes(target.type))
  );
}

/** Those that the keys are about: the pane with the focus, if its stream runs, else all that run. */
function concerned(workspace: Workspace): string[] {
  const active = workspace.panes().filter(running);
  const focused = active.find(({ key }) => key === focusedPane());
  return (focused ? [focused] : active).map(({ key }) => key);
}

export function stopConcerned(workspace: Workspace): void {
  for (const key of concerned(workspace)) workspace.stop(key);
}

function pauseConcerned(workspace: Workspace): void {
  for (const key of concerned(workspace)) {
    const stream = workspace.find(key)?.stream;
    if (stream?.snapshot.paused) stream.continue();
    else stream?.pause();
  }
}

function focusPrompt(): void {
  document.querySelector<HTMLElement>("#prompt")?.focus();
}

function focusNext(workspace: Workspace): void {
  const panes = workspace.panes();
  const now = panes.findIndex(({ key }) => key === focusedPane());
  const next = panes[(now + 1) % panes.length];
  if (next) focusText(next.key);
}

/** Give the focus to the text of a pane. */
export function focusText(key: string): void {
  document.querySelector<HTMLElement>(`[data-pane="${key}"] .scroller`)?.focus();
}

/** Listen for the keys of the page. */
export function useShortcuts(
  workspace: Workspace,
  open: (dialog: "history" | "shortcuts") => void,
): void {
  useEffect(() => {
    const actions: Record<string, () => void> = {
      "?": () => {
        open("shortcuts");
      },
      "/": focusPrompt,
      p: () => {
        pauseConcerned(workspace);
      },
      a: () => {
        workspace.add();
      },
      n: () => {
        focusNext(workspace);
      },
      h: () => {
        open("history");
      },
    };
    const pressed = (event: KeyboardEvent): void => {
      if (event.isComposing || event.defaultPrevented) return;
      if (document.querySelector("dialog[open], :popover-open")) return; // Escape closes it.
      if (event.key === "Escape") stopConcerned(workspace);
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      const action = actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", pressed);
    return () => {
      document.removeEventListener("keydown", pressed);
    };
  }, [workspace, open]);
}
