/** The panes and their streams, on a server in memory: what is sent, shown and kept. */
import { expect, test } from "vitest";
import type { RememberedStream, StreamClient, StreamDescription } from "../../src/client/index.js";
import { StreamStore } from "../../src/client/store.js";
import { History, kept } from "../../src/app/model/history";
import { running, type Pane } from "../../src/app/model/pane";
import { PaneStore } from "../../src/app/model/paneStore";
import { MOST_PANES, Workspace } from "../../src/app/model/workspace";
import { settle } from "../support/clock.js";
import { at, FakeServer, FakeStream, fakeClient, refusal, UNITS } from "../support/fake.js";
import { MemoryStorage } from "./memoryStorage";

const ASKED = { prompt: "x", source: "text", params: {} };

const DESCRIBED: StreamDescription = {
  id: "old",
  source: "llm",
  unit: "word",
  state: "producing",
  first: 2,
  next: 26,
  furthest: 7,
  readers: 1,
  reason: null,
};

class Page {
  readonly server = new FakeServer();
  readonly local = new MemoryStorage();
  tab = new MemoryStorage();
  client!: StreamClient; // as the app has it: with the storage that the tabs share
  history!: History;
  workspace!: Workspace;

  async load(): Promise<this> {
    ({ client: this.client } = await fakeClient(this.server, { storage: this.local }));
    this.history = new History(this.client.store);
    const store = new PaneStore(this.tab, this.client.url);
    this.workspace = new Workspace(this.client, this.history, store);
    await settle();
    return this;
  }

  async reload(): Promise<void> {
    this.tab = this.tab.copy(); // The page that goes has no time to write what becomes of it.
    this.client.close();
    await this.load();
  }

  get pane(): Pane {
    return at(this.workspace.panes(), -1);
  }

  start(pane = this.pane): void {
    this.workspace.start(pane.key, ASKED);
  }

  /** A stream of an earlier visit; `reason` is what the history knows of its end. */
  earlier(reason: RememberedStream["reason"], prompt = "p"): FakeStream {
    const stream = new FakeStream("old", UNITS);
    this.server.streams.set("old", stream);
    const entry = { id: "old", source: "text", unit: "char", rate: 30, startedAt: 1 } as const;
    this.client.store.add({ ...entry, ...(reason && { reason }), data: kept(prompt) });
    return stream;
  }

  /** What was asked of the server since the last time. */
  requests(): string[] {
    return this.server.requests.splice(0).map(({ event }) => event);
  }
}

const loaded = (): Promise<Page> => new Page().load();

test("Stop of a replay leaves it where it stands, and the history still knows its end", async () => {
  const page = await loaded();
  const stream = page.earlier("completed");
  for (let replay = 0; replay < 2; replay += 1) {
    page.workspace.open("old", 60);
    await settle();
    page.server.send(0, 4, stream);
    page.workspace.stop(page.pane.key);
    await settle();
    expect(page.requests()).toEqual(["resume_stream", "leave_stream"]);
    expect(page.pane.stream?.text).toBe("abcd");
    expect(page.pane).toMatchObject({ watching: false });
    expect(page.history.find("old")?.reason).toBe("completed");
  }
  page.workspace.open("old", 60);
  await settle();
  page.workspace.close(page.pane.key);
  await settle();
  expect(page.requests()).toEqual(["resume_stream", "leave_stream"]);
  page.client.close();
});

test.each([
  ["ended", "completed"],
  ["producing", null],
] as const)("one that was last seen running and is %s by now", async (state, reason) => {
  const page = await loaded();
  page.earlier(undefined);
  page.server.script = ({ event }) =>
    event === "describe_stream" ? { ok: true, stream: { ...DESCRIBED, state, reason } } : undefined;
  page.workspace.open("old", 60);
  await settle();
  page.workspace.stop(page.pane.key);
  await settle();
  const ending = state === "ended" ? "leave_stream" : "stop_stream";
  expect(page.requests().sort()).toEqual(["describe_stream", ending, "resume_stream"].sort());
  page.client.close();
});

test("who may start and not stop leaves its own reading", async () => {
  const page = await loaded();
  page.server.script = ({ event }) => (event === "stop_stream" ? refusal("forbidden") : undefined);
  page.start();
  await settle();
  page.workspace.stop(page.pane.key);
  await settle();
  expect(page.requests()).toEqual(["start_stream", "stop_stream", "leave_stream"]);
  page.start();
  await settle();
  page.start(); // in the place of the one that runs
  await settle();
  expect(page.requests().sort()).toEqual(
    ["start_stream", "start_stream", "stop_stream", "leave_stream"].sort(),
  );
  expect(page.client.streams.map(({ id }) => id)).toEqual(["s3"]);
  page.client.close();
});

test("Stop of what was started here stops it; another tab may have read it to its end", async () => {
  const page = await loaded();
  page.start();
  await settle();
  page.workspace.stop(page.pane.key);
  page.server.end("stopped", 0);
  await page.pane.stream?.done;
  expect(page.requests()).toEqual(["start_stream", "stop_stream"]);
  page.start();
  await settle();
  new StreamStore(page.local, page.client.url, 100).change("s2", { reason: "completed" });
  page.client.store.changedElsewhere(null);
  page.workspace.stop(page.pane.key);
  await settle();
  expect(page.requests()).toEqual(["start_stream", "leave_stream"]);
  page.client.close();
});

test("opening and replaying leave the pane's own speed alone, also over a reload", async () => {
  const page = await loaded();
  page.workspace.configure(page.pane.key, { rate: 20 });
  const stream = page.earlier("completed");
  for (const rate of [undefined, 60]) {
    page.workspace.open("old", rate);
    await settle();
    expect(page.pane.stream?.rate).toBe(rate ?? 0);
    expect(page.pane.settings.rate).toBe(20);
    page.server.send(0, 26, stream);
    page.server.end("completed", 26, stream);
    await page.pane.stream?.done;
    await page.reload();
    expect(page.pane.stream?.rate).toBe(0);
    await settle();
    page.server.send(0, 26, stream);
    expect(page.workspace.panes().map(({ settings }) => settings.rate)).toContain(20);
    expect(page.workspace.panes().map(({ settings }) => settings.rate)).not.toContain(0);
    page.client.forget("old");
  }
  page.start();
  await settle();
  expect(at(page.server.requests, -1).payload).toMatchObject({ rate: 20 });
  page.client.close();
});

test("a replay of what is being read changes the pace of the reading only", async () => {
  const page = await loaded();
  page.start();
  await settle();
  page.workspace.open("s1", 60);
  await settle();
  expect(page.pane.stream?.rate).toBe(60);
  expect(page.pane.settings.rate).toBe("auto");
  page.workspace.configure(page.pane.key, { rate: 5 }); // by the control: for both
  expect([page.pane.stream?.rate, page.pane.settings.rate]).toEqual([5, 5]);
  await page.reload();
  expect(page.pane.stream?.rate).toBe(5);
  page.client.close();
});

test("a reload before the first text finds the stream", async () => {
  const page = await loaded();
  page.start();
  await settle();
  await page.reload();
  expect(page.pane.stream?.id).toBe("s1");
  page.server.send(0, 26);
  expect(page.pane.stream?.text).toBe(UNITS.join(""));
  page.client.close();
});

test("a prompt that the history has cut is marked, wherever it goes", async () => {
  const page = await loaded();
  page.earlier("completed", "y".repeat(100_000));
  page.workspace.open("old");
  await settle();
  expect(page.pane.cut).toBe(true);
  page.history.clear();
  await page.reload();
  expect(page.pane.cut).toBe(true);
  expect(page.history.find("old")).toMatchObject({ cut: true });
  page.start();
  expect(page.pane).toMatchObject({ cut: false, prompt: "x" });
  page.client.close();
});

test("with all panes taken, the one that is free is free before the stream is there", async () => {
  const page = await loaded();
  const stream = page.earlier("completed");
  while (page.workspace.panes().length < MOST_PANES) page.workspace.add();
  for (const pane of page.workspace.panes().slice(1)) page.start(pane);
  page.workspace.open("old");
  await settle();
  page.server.send(0, 26, stream);
  page.server.end("completed", 26, stream);
  await page.workspace.panes()[0]?.stream?.done;
  for (const show of [
    () => page.workspace.open("old"),
    () => page.workspace.watch({ ...DESCRIBED, state: "ended" }, "start"),
  ]) {
    const pane = show();
    await settle();
    expect(pane.key).toBe(page.workspace.panes()[0]?.key);
    expect(running(pane)).toBe(true);
    expect(page.client.streams).toContain(pane.stream);
    expect(page.client.remembered.map(({ id }) => id)).toContain("old");
    pane.stream?.leave();
  }
  page.client.close();
});

test.each([
  ["start", 2],
  ["now", 7],
] as const)("watching from %s begins at unit %i", async (from, offset) => {
  const page = await loaded();
  page.earlier(undefined);
  page.server.requests.length = 0;
  const pane = page.workspace.watch(DESCRIBED, from);
  await settle();
  expect(at(page.server.requests, -1).payload).toEqual({ id: "old", offset, format: "chunk" });
  expect(pane).toMatchObject({ watching: true, from: offset });
  page.workspace.stop(pane.key);
  expect(page.history.hasEnded("old")).toBe(false);
  page.client.close();
});

test("of one that is watched, the page knows from its description that it has ended", async () => {
  const page = await loaded();
  page.server.streams.set("old", new FakeStream("old", UNITS));
  const ended: StreamDescription = { ...DESCRIBED, state: "ended", reason: "length" };
  page.server.script = ({ event }) =>
    event === "describe_stream" ? { ok: true, stream: ended } : undefined;
  page.workspace.watch(await page.client.describe("old"), "start");
  await settle();
  expect(page.history.find("old")).toMatchObject({ reason: "length", watched: true });
  page.client.close();
});

test("panes that an earlier release has kept are shown", async () => {
  const page = await loaded();
  page.earlier("completed");
  page.server.requests.length = 0;
  const key = `textstream app panes ${page.client.url}`;
  const before = {
    settings: { source: "text" },
    prompt: "q",
    cut: false,
    watching: false,
    from: 0,
  };
  page.tab.setItem(
    key,
    JSON.stringify([
      { ...before, id: "old" },
      { settings: {}, prompt: "r" },
    ]),
  );
  await page.reload();
  expect(page.workspace.panes().map(({ prompt, stream }) => [prompt, stream?.id])).toEqual([
    ["q", "old"],
    ["r", undefined],
  ]);
  expect(page.workspace.panes()[0]?.stream?.rate).toBe(0);
  page.client.close();
});

test("what the server has lost stays in the history with its prompt; what failed may be there again", async () => {
  const page = await loaded();
  const stream = page.earlier("completed");
  page.server.streams.clear();
  page.workspace.open("old");
  await settle();
  expect(page.history.find("old")).toMatchObject({ failure: "gone", prompt: "p" });
  page.server.streams.set("old", stream);
  page.workspace.open("old");
  await settle();
  expect(page.history.find("old")).not.toHaveProperty("failure");
  expect(page.history.hasEnded("old")).toBe(true);
  page.client.close();
});

test("one that is removed from the history while it is read is not there again at its end", async () => {
  const page = await loaded();
  page.start();
  await settle();
  page.history.remove("s1");
  page.workspace.configure(page.pane.key, { rate: 5 });
  page.server.send(0, 26);
  page.server.end();
  await page.pane.stream?.done;
  expect(page.pane.stream?.text).toBe(UNITS.join(""));
  expect(page.history.entries()).toEqual([]);
  page.client.close();
});
