/** Milliseconds since 1970 that never run backwards, and mean the same after a reload. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
