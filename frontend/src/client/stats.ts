const REMEMBERED = 10_000;

/** What a reader sees of a stream's pace. Times are in milliseconds. */
export interface StatsSnapshot {
  /** From the request to the first text; undefined: nothing has arrived. */
  timeToFirst: number | undefined;
  /** Units that arrived. */
  units: number;
  /** Units per second since the first arrival, without the reader's own pauses. */
  unitsPerSecond: number | undefined;
  /** The time between two arrivals: the median. */
  gapP50: number | undefined;
  /** The time between two arrivals: what one in a hundred exceeds. */
  gapP99: number | undefined;
}

/** Measures a stream as its reader sees it. Remembers the last 10,000 gaps, so its size is bounded. */
export class StreamStats {
  readonly #askedAt: number;
  #firstAt: number | undefined;
  #lastAt: number | undefined; // the arrival that the next gap is counted from
  #units = 0;
  #paced = 0; // units that ended a gap, and
  #moving = 0; // the time that those gaps took
  #gaps: number[] = [];
  #oldest = 0; // where in #gaps the next one goes, once there are REMEMBERED

  constructor(askedAt: number) {
    this.#askedAt = askedAt;
  }

  /** Count `units` that arrived together at `at`. */
  add(units: number, at: number): void {
    this.#units += units;
    this.#firstAt ??= at;
    if (this.#lastAt !== undefined) {
      const gap = at - this.#lastAt;
      this.#gaps[this.#oldest] = gap;
      this.#oldest = (this.#oldest + 1) % REMEMBERED;
      this.#moving += gap;
      this.#paced += units;
    }
    this.#lastAt = at;
  }

  /** Leave out the time until the next arrival: the reader itself has paused. */
  interrupt(): void {
    this.#lastAt = undefined;
  }

  /** The gaps between the last arrivals, oldest first, at most 10,000. */
  gaps(): number[] {
    return [...this.#gaps.slice(this.#oldest), ...this.#gaps.slice(0, this.#oldest)];
  }

  snapshot(): StatsSnapshot {
    const sorted = Float64Array.from(this.#gaps).sort();
    return {
      timeToFirst: this.#firstAt === undefined ? undefined : this.#firstAt - this.#askedAt,
      units: this.#units,
      unitsPerSecond: this.#moving > 0 ? (1000 * this.#paced) / this.#moving : undefined,
      gapP50: nearestRank(sorted, 0.5),
      gapP99: nearestRank(sorted, 0.99),
    };
  }
}

/** The smallest of the `sorted` values that `quantile` of them do not exceed. */
export function nearestRank(sorted: ArrayLike<number>, quantile: number): number | undefined {
  // Less a trifle, or else 0.07 * 100 would be the 8th of 100: it is 7.000000000000001.
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length - 1e-9) - 1)];
}
