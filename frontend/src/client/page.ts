export interface PageHandlers {
  /** The network is back. */
  online(): void;
  /** The page goes away: for good, or into the back/forward cache. */
  hidden(): void;
  /** The page comes out of the back/forward cache. */
  restored(): void;
  /** Another tab has changed the storage that they share: its entry `key`, or all of it. */
  stored(key: string | null): void;
}

/**
 * Follow the page that this runs in, until the function that is returned is called.
 *
 * Outside of browsers there is none, and nothing happens.
 */
export function followPage(handlers: PageHandlers): () => void {
  if (typeof window === "undefined") return () => undefined;
  const following = new AbortController();
  const { signal } = following;
  const online = (): void => {
    handlers.online();
  };
  const hidden = (): void => {
    handlers.hidden();
  };
  const shown = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) handlers.restored();
  };
  window.addEventListener("online", online, { signal });
  // Not `beforeunload`: the page may stay after all. Nor `unload`: it keeps pages out of the cache.
  window.addEventListener("pagehide", hidden, { signal });
  window.addEventListener("pageshow", shown, { signal });
  const stored = ({ key }: StorageEvent): void => {
    handlers.stored(key);
  };
  window.addEventListener("storage", stored, { signal });
  return () => {
    following.abort();
  };
}
