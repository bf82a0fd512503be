/** What is kept of the panes over a reload, in the tab's own storage. */
import type { Rate } from "../../client";
import { DEFAULTS, type Pane, type PaneSettings } from "./pane";

export interface StoredPane {
  settings: PaneSettings;
  prompt?: string;
  cut?: boolean;
  id?: string;
  watching?: boolean;
  from?: number;
  /** The pace of the reading: the settings have that of the next prompt. */
  rate?: Rate;
}

const KEY = "textstream app panes";

type Stored = Pick<Storage, "getItem" | "setItem">;

export class PaneStore {
  readonly #storage: Stored | undefined;
  readonly #key: string;

  constructor(storage: Stored | undefined, server: string) {
    this.#storage = storage;
    this.#key = `${KEY} ${server}`;
  }

  read(): StoredPane[] {
    try {
      const found: unknown = JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
      return Array.isArray(found) ? found.filter(isStored).map(completed) : [];
    } catch {
      return [];
    }
  }

  write(panes: readonly Pane[]): void {
    const stored = panes.map(({ settings, prompt, cut, stream, watching, from }): StoredPane => {
      const { id, rate } = stream ?? {};
      return {
        settings,
        ...(prompt === undefined ? {} : { prompt, cut }),
        ...(id === undefined ? {} : { id, watching, from }),
        ...(rate === undefined ? {} : { rate }),
      };
    });
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(stored));
    } catch {
      // Full, or forbidden: then a reload begins anew.
    }
  }
}

function isStored(value: unknown): value is StoredPane {
  if (typeof value !== "object" || value === null) return false;
  const { settings, id } = value as { settings?: unknown; id?: unknown };
  return typeof settings === "object" && (id === undefined || typeof id === "string");
}

/** An older release of the page may have kept less. */
function completed(pane: StoredPane): StoredPane {
  return { ...pane, settings: { ...DEFAULTS, ...pane.settings } };
}
