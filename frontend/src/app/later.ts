import { useEffect, useState } from "react";

/** A part of the app that is loaded when it is needed, once. */
export class Later<T> {
  readonly #import: () => Promise<T>;
  #loading: Promise<T> | undefined;
  /** The part, once it is there. */
  loaded: T | undefined;

  constructor(load: () => Promise<T>) {
    this.#import = load;
  }

  /** Load it; one that failed is tried again with the next call. */
  load(): Promise<T> {
    this.#loading ??= this.#import().then(
      (part) => (this.loaded = part),
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }
}

export const laterMarkdown = new Later(() => import("../markdown"));
export const laterChart = new Later(() => import("./components/GapChart"));

/**
 * Load a part, and render again when it is there or has failed to load.
 *
 * Not React's `lazy`: there a part that cannot be loaded (the server is gone, or has another build)
 * takes the whole page with it, and the text on it.
 */
export function useLater<T>(later: Later<T>): { part: T | undefined; failed: boolean } {
  const [state, setState] = useState({ part: later.loaded, failed: false });
  useEffect(() => {
    if (later.loaded !== undefined) return undefined;
    let current = true;
    later.load().then(
      (part) => {
        if (current) setState({ part, failed: false });
      },
      () => {
        if (current) setState({ part: undefined, failed: true });
      },
    );
    return () => {
      current = false;
    };
  }, [later]);
  return state;
}
