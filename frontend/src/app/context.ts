import { createContext, useContext } from "react";
import type { StreamClient } from "../client";
import type { Told } from "./hooks";
import type { History } from "./model/history";
import type { Workspace } from "./model/workspace";

/** What the page consists of, besides what it shows. */
export interface Parts {
  client: StreamClient;
  workspace: Workspace;
  history: History;
  /** The server that the page asks where its address names none. */
  own: string;
  /** Where a prompt was typed before the app was there. */
  early: HTMLTextAreaElement | undefined;
}

export interface AppState extends Parts, Told {}

export const AppContext = createContext<AppState | undefined>(undefined);

export function useApp(): AppState {
  const state = useContext(AppContext);
  if (!state) throw new Error("A component outside of the app.");
  return state;
}
