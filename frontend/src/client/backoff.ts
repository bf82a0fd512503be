/** How long to wait between tries to connect, in milliseconds. */
export interface Backoff {
  /** The longest wait before the first try. */
  initial: number;
  /** The longest wait between two tries. */
  maximum: number;
}

export const DEFAULT_BACKOFF: Backoff = { initial: 200, maximum: 5000 };

/**
 * The wait before try number `attempt` after a loss, counted from 0: exponential, with jitter.
 *
 * The jitter keeps the clients of a server that restarts from coming back all at once. `random`
 * yields numbers from 0 to 1.
 */
export function delayBefore(attempt: number, backoff: Backoff, random: () => number): number {
  if (attempt === 0) return random() * backoff.initial;
  const longest = Math.min(backoff.maximum, backoff.initial * 2 ** Math.min(attempt, 32));
  return longest / 2 + (random() * longest) / 2;
}
