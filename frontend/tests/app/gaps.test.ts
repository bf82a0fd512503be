import { expect, test } from "vitest";
import { COLUMNS, gapPoints } from "../../src/app/model/gaps";
import { rateAt, rateIndex, RATES } from "../../src/app/model/rates";

test("few gaps are a point each, at the time of their end", () => {
  expect(gapPoints([])).toEqual([[], []]);
  expect(gapPoints([100, 400])).toEqual([
    [0.1, 0.5],
    [100, 400],
  ]);
});

test("of many, the longest of each span is shown, so that none is hidden", () => {
  const gaps = Array.from({ length: 10_000 }, (_, index) => (index === 5003 ? 900 : 10));
  const [seconds, longest] = gapPoints(gaps);
  expect(longest.length).toBeLessThanOrEqual(COLUMNS);
  expect(longest.filter((gap) => gap === 900)).toHaveLength(1);
  expect(seconds.at(-1)).toBeCloseTo(100.89);
});

test("every speed has its place; one that is not offered has that of the next faster", () => {
  for (const [index, rate] of RATES.entries()) expect(rateAt(rateIndex(rate))).toBe(RATES[index]);
  expect(rateAt(rateIndex(45))).toBe(60);
  expect(rateAt(rateIndex(90_000))).toBe(0);
  expect(rateAt(99)).toBe("auto");
});
