/** Time, as far as the library needs it; tests hand in their own. Milliseconds throughout. */
export interface Clock {
  /** Now, of a clock that never goes back. */
  now(): number;
  /** Call `callback` after `delay`; return the function that cancels it. */
  after(delay: number, callback: () => void): () => void;
}

/** What a timer can wait for, in ms (some 24 days). One that is asked for more would ring at once. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, Math.min(delay, LONGEST));
    return () => {
      clearTimeout(timer);
    };
  },
};
