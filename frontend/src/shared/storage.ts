/** The page's storage, or undefined where the user forbids it: asking is an error there. */
export function pageStorage(kind: "localStorage" | "sessionStorage"): Storage | undefined {
  try {
    return window[kind];
  } catch {
    return undefined;
  }
}

/** A small value that outlives the page; failures are ignored, since nothing depends on it. */
export function remember(key: string, value: string): void {
  try {
    pageStorage("localStorage")?.setItem(key, value);
  } catch {
    // Full, or forbidden.
  }
}

export function recall(key: string): string | undefined {
  return pageStorage("localStorage")?.getItem(key) ?? undefined;
}
