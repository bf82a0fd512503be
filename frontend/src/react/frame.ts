import type { TextStream } from "../client/index.js";

/**
 * Call `changed` when the stream has changed, at most once per frame: a fast stream changes some
 * thousand times a second. In a page that is hidden there are no frames, and nothing to show.
 */
export function perFrame(stream: TextStream, changed: () => void): () => void {
  let asked: number | undefined;
  const unsubscribe = stream.subscribe(() => {
    asked ??= requestAnimationFrame(() => {
      asked = undefined;
      changed();
    });
  });
  return () => {
    unsubscribe();
    if (asked !== undefined) cancelAnimationFrame(asked);
  };
}
