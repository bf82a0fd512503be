import { isOver, type Rate, type TextStream, type Unit } from "../../client";
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
  stream: TextStream | undefined;
  /** What was asked; undefined before that, and for a stream of somebody else. */
  prompt: string | undefined;
  /** `prompt` is only the beginning of what was asked: the history kept no more. */
  cut: boolean;
  /** Reads a stream that was started elsewhere: Stop is then not offered, Leave is. */
  watching: boolean;
  /** Where reading began, in units: not 0 for those who watch from now on. */
  from: number;
}

/** What a pane is told about the stream in it, besides the stream itself. */
export type Shown = Pick<Pane, "prompt" | "cut" | "watching" | "from">;

export const NOTHING_SHOWN: Shown = {
  prompt: undefined,
  cut: false,
  watching: false,
  from: 0,
};

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
  return { key, settings, stream: undefined, ...NOTHING_SHOWN };
}

export function running({ stream }: Pick<Pane, "stream">): boolean {
  return stream !== undefined && !isOver(stream.state);
}
