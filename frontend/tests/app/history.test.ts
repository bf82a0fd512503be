/** The streams of this browser, in a storage that other tabs share and that may fail. */
import { expect, test, vi } from "vitest";
import { History, PROMPT_KEPT, type HistoryEntry } from "../../src/app/model/history";
import { MemoryStorage } from "./memoryStorage";

function entry(id: string, more: Partial<HistoryEntry> = {}): Omit<HistoryEntry, "server"> {
  return {
    id,
    prompt: `prompt ${id}`,
    source: "llm",
    unit: "char",
    rate: 30,
    startedAt: 1,
    ...more,
  };
}

test("newest first, each once, and the same list until something changes", () => {
  const history = new History(new MemoryStorage(), "http://a");
  history.put(entry("1"));
  history.put(entry("2"));
  history.put(entry("1", { rate: 0 }));
  expect(history.entries().map(({ id, rate }) => [id, rate])).toEqual([
    ["1", 0],
    ["2", 30],
  ]);
  expect(history.entries()).toBe(history.entries());
});

test("how it ended, and that it runs again", () => {
  const history = new History(new MemoryStorage(), "http://a");
  const changed = vi.fn();
  history.put(entry("1"));
  history.subscribe(changed);
  history.settle("1", "stopped");
  expect(history.find("1")?.state).toBe("stopped");
  history.settle("1", undefined);
  expect(history.find("1")).not.toHaveProperty("state");
  history.settle("unknown", "completed");
  expect(history.entries()).toHaveLength(1);
  expect(changed).toHaveBeenCalledTimes(3);
});

test("the streams of another server are another's", () => {
  const storage = new MemoryStorage();
  const [a, b] = [new History(storage, "http://a"), new History(storage, "http://b")];
  a.put(entry("1"));
  b.put(entry("1"));
  b.settle("1", "completed");
  a.clear();
  b.changedElsewhere({ key: null });
  expect(a.entries()).toEqual([]);
  expect(b.find("1")?.state).toBe("completed");
  b.remove("1");
  expect(b.entries()).toEqual([]);
});

test("of a long prompt, the beginning is kept, and no half of a character", () => {
  const history = new History(new MemoryStorage(), "http://a");
  history.put(entry("1", { prompt: "x".repeat(PROMPT_KEPT - 1) + "😀 and more" }));
  expect(history.find("1")).toMatchObject({ prompt: "x".repeat(PROMPT_KEPT - 1), cut: true });
  history.put(entry("2", { prompt: "x".repeat(PROMPT_KEPT) }));
  expect(history.find("2")).toMatchObject({ prompt: "x".repeat(PROMPT_KEPT) });
  expect(history.find("2")).not.toHaveProperty("cut");
});

test("a hundred of the longest prompts fit", () => {
  const storage = new MemoryStorage();
  const history = new History(storage, "http://a");
  for (let id = 0; id < 120; id += 1)
    history.put(entry(String(id), { prompt: "字".repeat(10_000) }));
  expect(history.entries()).toHaveLength(100);
  expect(2 * (storage.getItem("textstream app history") ?? "").length).toBeLessThan(1_000_000);
});

test("another tab's change is seen", () => {
  const storage = new MemoryStorage();
  const [here, there] = [new History(storage, "http://a"), new History(storage, "http://a")];
  expect(here.entries()).toEqual([]);
  there.put(entry("1"));
  here.changedElsewhere({ key: "something else" });
  expect(here.entries()).toEqual([]);
  here.changedElsewhere({ key: "textstream app history" });
  expect(here.entries()).toHaveLength(1);
});

test.each(["", "{", "[1, {}]", '{"a": 1}'])("a storage with %j in it is an empty one", (found) => {
  const storage = new MemoryStorage();
  storage.setItem("textstream app history", found);
  const history = new History(storage, "http://a");
  expect(history.entries()).toEqual([]);
  history.put(entry("1"));
  expect(history.entries()).toHaveLength(1);
});

test("a full storage, or none, is no error", () => {
  const full = new MemoryStorage();
  full.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  for (const storage of [full, undefined]) {
    const history = new History(storage, "http://a");
    history.put(entry("1"));
    expect(history.entries()).toEqual([]);
  }
});
