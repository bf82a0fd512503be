/** The streams of this browser, in a storage that other tabs share and that may fail. */
import { expect, test, vi } from "vitest";
import { StreamStore, type RememberedStream } from "../../src/client/store.js";
import { History, kept, MOST, PROMPT_KEPT } from "../../src/app/model/history";
import { MemoryStorage } from "./memoryStorage";

const KEY = "textstream http://a";

function entry(id: string, more: Partial<RememberedStream> = {}): RememberedStream {
  return {
    id,
    source: "llm",
    unit: "char",
    rate: 30,
    startedAt: 1,
    data: kept(`prompt ${id}`),
    ...more,
  };
}

function opened(storage: MemoryStorage | undefined, server = "http://a") {
  const store = new StreamStore(storage, server, MOST);
  return { store, history: new History(store) };
}

test("newest first, each once, and the same list until something changes", () => {
  const { store, history } = opened(new MemoryStorage());
  store.add(entry("1"));
  store.add(entry("2"));
  store.add(entry("1", { rate: 0 }));
  expect(history.entries().map(({ id, rate, prompt }) => [id, rate, prompt])).toEqual([
    ["1", 0, "prompt 1"],
    ["2", 30, "prompt 2"],
  ]);
  expect(history.entries()).toBe(history.entries());
});

test("how it ended: whoever listens finds it so", () => {
  const { store, history } = opened(new MemoryStorage());
  store.add(entry("1"));
  const seen: unknown[] = [];
  history.subscribe(() => seen.push(history.find("1")?.reason));
  expect(history.hasEnded("1")).toBe(false);
  store.change("1", { reason: "stopped" });
  expect(history.hasEnded("1")).toBe(true);
  store.change("unknown", { reason: "completed" });
  expect(history.entries()).toHaveLength(1);
  expect(seen).toEqual(["stopped"]);
});

test("one that could not be read has not ended", () => {
  const { store, history } = opened(new MemoryStorage());
  store.add(entry("1", { failure: "failed" }));
  expect(history.hasEnded("1")).toBe(false);
});

test("where none is remembered the client is the same all the same", () => {
  const storage = new MemoryStorage();
  const store = new StreamStore(storage, "http://a", 0);
  store.add(entry("1"));
  expect(store.all()).toEqual([]);
  expect(new StreamStore(storage, "http://a", 0).clientKey()).toBe(store.clientKey());
});

test("the streams of another server are another's", () => {
  const storage = new MemoryStorage();
  const [a, b] = [opened(storage), opened(storage, "http://b")];
  a.store.add(entry("1"));
  b.store.add(entry("1"));
  b.store.change("1", { reason: "completed" });
  a.history.clear();
  b.store.changedElsewhere(null);
  expect(a.history.entries()).toEqual([]);
  expect(b.history.find("1")?.reason).toBe("completed");
  b.history.remove("1");
  expect(b.history.entries()).toEqual([]);
});

test("of a long prompt, the beginning is kept, and no half of a character", () => {
  expect(kept("x".repeat(PROMPT_KEPT - 1) + "😀 and more")).toEqual({
    prompt: "x".repeat(PROMPT_KEPT - 1),
    cut: true,
  });
  expect(kept("x".repeat(PROMPT_KEPT))).toEqual({ prompt: "x".repeat(PROMPT_KEPT) });
  expect(kept("x", { cut: true, watched: true })).toEqual({
    prompt: "x",
    cut: true,
    watched: true,
  });
});

test("a hundred of the longest prompts fit", () => {
  const storage = new MemoryStorage();
  const { store, history } = opened(storage);
  for (let id = 0; id < 120; id += 1)
    store.add(entry(String(id), { data: kept("字".repeat(10_000)) }));
  expect(history.entries()).toHaveLength(100);
  expect(2 * (storage.getItem(KEY) ?? "").length).toBeLessThan(1_000_000);
});

test("another tab's change is seen", () => {
  const storage = new MemoryStorage();
  const [here, there] = [opened(storage), opened(storage)];
  const changed = vi.fn();
  here.history.subscribe(changed);
  expect(here.history.entries()).toEqual([]);
  there.store.add(entry("1"));
  here.store.changedElsewhere("something else");
  expect(here.history.entries()).toEqual([]);
  here.store.changedElsewhere(KEY);
  expect(here.history.entries()).toHaveLength(1);
  expect(changed).toHaveBeenCalledOnce();
});

test.each(["", "{", "[1, {}]", '{"a": 1}'])("a storage with %j in it is an empty one", (found) => {
  const storage = new MemoryStorage();
  storage.setItem(KEY, found);
  const { store, history } = opened(storage);
  expect(history.entries()).toEqual([]);
  store.add(entry("1"));
  expect(history.entries()).toHaveLength(1);
});

test.each([undefined, null, 7, "text", [1], { prompt: 7, cut: "yes" }])(
  "a stream with which %j was kept has no prompt",
  (data) => {
    const { store, history } = opened(new MemoryStorage());
    store.add(entry("1", { data }));
    expect(history.entries()).toMatchObject([{ id: "1", prompt: "" }]);
    expect(history.find("1")).not.toHaveProperty("cut");
  },
);

test("a full storage, or none, is no error", () => {
  const full = new MemoryStorage();
  full.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  for (const storage of [full, undefined]) {
    const { store, history } = opened(storage);
    store.add(entry("1"));
    expect(history.entries()).toEqual([]);
  }
});
