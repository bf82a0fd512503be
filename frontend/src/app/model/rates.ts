import type { Rate } from "../../client";

/** The speeds to choose from, slowest first behind "auto"; 0 is as fast as the page reads. */
export const RATES: readonly Rate[] = ["auto", 1, 5, 10, 20, 30, 60, 100, 200, 500, 1000, 5000, 0];

/** The place of `rate` in RATES; of one that is not in it, that of the next faster. */
export function rateIndex(rate: Rate): number {
  const exact = RATES.indexOf(rate);
  if (exact >= 0) return exact;
  const faster = RATES.findIndex((known) => typeof known === "number" && known > Number(rate));
  return faster < 0 ? RATES.length - 1 : faster;
}

export function rateAt(index: number): Rate {
  return RATES[index] ?? "auto";
}
