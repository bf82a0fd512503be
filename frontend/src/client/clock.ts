/** Time, as far as the library needs it; tests hand in their own. Milliseconds throughout. */
export interface Clock {
  /** Now, of a clock that never goes back. */
  now(): number;
  /** Call `callback` after `delay`; return the function that cancels it. */
  after(delay: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => {
      clearTimeout(timer);
    };
  },
};
