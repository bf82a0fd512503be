/**
 * What may wait for the slowest consumer, in UTF-16 code units: above the one the server is told to
 * pause, below the other to go on.
 */
export const HIGH_WATER = 262_144;
export const LOW_WATER = 65_536;

/** What has arrived and waits for the slowest consumer. */
export class Backlog {
  /** In UTF-16 code units. */
  size = 0;
  #full = false;

  /** Whether it is too much; once it was, until it is little. */
  isFull(): boolean {
    if (this.size > HIGH_WATER) this.#full = true;
    else if (this.size < LOW_WATER) this.#full = false;
    return this.#full;
  }
}
