/** The small parts: figures, events, chance. */
import { expect, test, vi } from "vitest";
import { delayBefore } from "../src/client/backoff";
import { randomId, sha256 } from "../src/client/digest";
import { Emitter } from "../src/client/emitter";
import { nearestRank, StreamStats } from "../src/client/stats";

test("time to the first text, pace and gaps", () => {
  const stats = new StreamStats(100);
  expect(stats.snapshot()).toEqual({
    timeToFirst: undefined,
    units: 0,
    unitsPerSecond: undefined,
    gapP50: undefined,
    gapP99: undefined,
  });
  stats.add(5, 150);
  for (let i = 1; i <= 100; i += 1) stats.add(1, 150 + 20 * i);
  stats.interrupt();
  stats.add(1, 99_000); // behind a pause of the reader's own
  stats.add(2, 99_080);
  const { timeToFirst, units, unitsPerSecond, gapP50, gapP99 } = stats.snapshot();
  expect([timeToFirst, units, gapP50, gapP99]).toEqual([50, 108, 20, 20]);
  expect(unitsPerSecond).toBeCloseTo((1000 * 102) / 2080);
  expect(stats.gaps().at(-1)).toBe(80);
});

test("of the gaps, the last ten thousand are kept", () => {
  const stats = new StreamStats(0);
  for (let i = 0; i <= 25_000; i += 1) stats.add(1, i * i);
  const gaps = stats.gaps();
  expect(gaps).toHaveLength(10_000);
  expect([gaps[0], gaps.at(-1)]).toEqual([2 * 15_001 - 1, 2 * 25_000 - 1]);
});

test.each([
  [[], 0.5, undefined],
  [[7], 0.99, 7],
  [[1, 2, 3, 4], 0.5, 2],
  [Array.from({ length: 100 }, (_, index) => index + 1), 0.07, 7],
  [Array.from({ length: 100 }, (_, index) => index + 1), 1, 100],
])("nearest rank", (values, quantile, rank) => {
  expect(nearestRank(values, quantile)).toBe(rank);
});

test("waits double to their bound, and chance keeps at least half", () => {
  const backoff = { initial: 100, maximum: 1000 };
  const waits = (chance: number) =>
    [0, 1, 2, 3, 4, 99].map((n) => delayBefore(n, backoff, () => chance));
  expect(waits(1)).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(waits(0)).toEqual([0, 100, 200, 400, 500, 500]);
});

test("ids are of 128 bits, and never the same", () => {
  const ids = new Set(Array.from({ length: 1000 }, randomId));
  expect(ids.size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test("the hash is of the text in UTF-8", async () => {
  expect(await sha256("字")).toBe(
    "c55038b272b109b8bfdb6b59dd1b1048ffa58361caa3d16f56ee881f34ce34f0",
  );
  expect(await sha256("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("a listener that throws harms nobody else, and is not hushed up", () => {
  const uncaught: unknown[] = [];
  const later = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((callback) => {
    try {
      callback();
    } catch (error) {
      uncaught.push(error);
    }
  });
  const emitter = new Emitter<{ said: string }>();
  const heard: string[] = [];
  const problem = new Error("of the page's own");
  const off = emitter.on("said", () => {
    throw problem;
  });
  emitter.on("said", (word) => heard.push(word));
  emitter.emit("said", "a");
  off();
  emitter.emit("said", "b");
  later.mockRestore();
  expect(heard).toEqual(["a", "b"]);
  expect(uncaught).toEqual([problem]);
});
