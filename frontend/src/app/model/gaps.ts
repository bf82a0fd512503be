/** Columns of the chart: more could not be told apart. */
export const COLUMNS = 240;

/**
 * Gaps in milliseconds, oldest first, as the points of a chart: the seconds since the first of them,
 * and the longest gap of each of at most 240 equal spans of arrivals. An outlier is never averaged away.
 */
export function gapPoints(gaps: readonly number[]): [number[], number[]] {
  const span = Math.max(1, Math.ceil(gaps.length / COLUMNS));
  const seconds: number[] = [];
  const longest: number[] = [];
  let elapsed = 0;
  for (let start = 0; start < gaps.length; start += span) {
    const some = gaps.slice(start, start + span);
    elapsed = some.reduce((sum, gap) => sum + gap, elapsed);
    seconds.push(elapsed / 1000);
    longest.push(Math.max(...some));
  }
  return [seconds, longest];
}
