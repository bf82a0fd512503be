import { useEffect } from "react";
import { isComposing } from "../shared/typing";
import { running } from "./model/pane";
import type { Workspace } from "./model/workspace";

/** The pane that holds the focus, as its element says. */
function focusedPane(): string | undefined {
  return document.activeElement?.closest<HTMLElement>("[data-pane]")?.dataset.pane;
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

/** Give the focus to the text of a pane, once it is shown: what was pressed for it has gone. */
export function focusText(key: string): void {
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>(`[data-pane="${key}"] .scroller`)?.focus();
  });
}

/**
 * Listen for the keys of the page.
 *
 * No character is a command by itself (WCAG 2.1.4): it goes to the prompt, by `typeInto`.
 */
export function useShortcuts(workspace: Workspace, openList: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (isComposing(event) || event.defaultPrevented) return;
      if (document.querySelector("dialog[open], :popover-open")) return; // Escape closes it.
      if (event.key === "Escape") stopConcerned(workspace);
      if (event.key !== "/" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      openList();
    };
    document.addEventListener("keydown", pressed);
    return () => {
      document.removeEventListener("keydown", pressed);
    };
  }, [workspace, openList]);
}
