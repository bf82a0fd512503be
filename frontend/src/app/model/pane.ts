import type { Rate, TextStream, Unit } from "../../client";
import type { FieldValues } from "./schema";

export type View = "plain" | "markdown";

/** What a pane asks for with the next prompt, and how it shows the answer. */
export interface PaneSettings {
  /** Empty: the one that the server prefers. */
  source: string;
  unit: Unit;
  rate: Rate;
  view: View;
  /** What the form of the params holds, by source: another source's params are kept meanwhile. */
  values: Readonly<Record<string, FieldValues>>;
}

/** A place where one stream is shown. Replaced, never changed. */
export interface Pane {
  key: string;
  settings: PaneSettings;
  /** What was asked; undefined before that, and for a stream of somebody else. */
  prompt: string | undefined;
  stream: TextStream | undefined;
  /** Reads a stream that was started elsewhere: Stop is then not offered, Leave is. */
  watching: boolean;
  /** Where reading began, in units: not 0 for those who watch from now on. */
  from: number;
}

export const DEFAULTS: PaneSettings = {
  source: "",
  unit: "char",
  rate: "auto",
  view: "plain",
  values: {},
};

let made = 0;

export function newPane(settings: PaneSettings = DEFAULTS): Pane {
  made += 1;
  const key = `pane-${made}`;
  return { key, settings, prompt: undefined, stream: undefined, watching: false, from: 0 };
}

export function running(pane: Pane): boolean {
  const state = pane.stream?.state;
  return state !== undefined && state !== "ended" && state !== "failed";
}
