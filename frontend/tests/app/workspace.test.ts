/** The panes and their streams, on a server in memory: what is sent, shown and kept. */
import { expect, test } from "vitest";
import type { StreamClient, StreamDescription } from "../../src/client/index.js";
import { History, type HistoryEntry } from "../../src/app/model/history";
import { running, type Pane } from "../../src/app/model/pane";
import { PaneStore } from "../../src/app/model/paneStore";
import { MOST_PANES, Workspace } from "../../src/app/model/workspace";
import { settle } from "../support/clock.js";
import { at, FakeServer, FakeStream, fakeClient, UNITS } from "../support/fake.js";
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
  client!: StreamClient;
  history!: History;
  workspace!: Workspace;

  async load(): Promise<this> {
    ({ client: this.client } = await fakeClient(this.server, { storage: this.tab }));
    this.history = new History(this.local, this.client.url);
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

  /** A stream of an earlier visit; `state` is what the history knows of it. */
  earlier(state: HistoryEntry["state"], more: Partial<HistoryEntry> = {}): FakeStream {
    const stream = new FakeStream("old", UNITS);
    this.server.streams.set("old", stream);
    const entry = { id: "old", prompt: "p", source: "text", unit: "char", rate: 30 } as const;
    this.history.put({ ...entry, startedAt: 1, ...(state && { state }), ...more });
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
    expect(page.pane).toMatchObject({ endedBefore: true, watching: false });
    expect(page.history.find("old")?.state).toBe("completed");
  }
  page.workspace.open("old", 60);
  await settle();
  page.workspace.close(page.pane.key);
  await settle();
  expect(page.requests()).toEqual(["resume_stream", "leave_stream"]);
  page.client.close();
});

test.each(["ended", "producing"] as const)(
  "one that was last seen running and is %s by now",
  async (state) => {
    const page = await loaded();
    page.earlier(undefined);
    page.server.script = ({ event }) =>
      event === "describe_stream" ? { ok: true, stream: { ...DESCRIBED, state } } : undefined;
    page.workspace.open("old", 60);
    await settle();
    page.workspace.stop(page.pane.key);
    await settle();
    const ending = state === "ended" ? "leave_stream" : "stop_stream";
    expect(page.requests().sort()).toEqual(["describe_stream", ending, "resume_stream"].sort());
    page.client.close();
  },
);

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
  new History(page.local, page.client.url).settle("s2", "completed");
  page.history.changedElsewhere({ key: null });
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
  page.earlier("completed", { prompt: "y".repeat(100_000) });
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
  expect(pane).toMatchObject({ watching: true, from: offset, endedBefore: false });
  page.workspace.stop(pane.key);
  expect(page.workspace.find(pane.key)).toMatchObject({ endedBefore: false });
  expect(page.workspace.watch({ ...DESCRIBED, state: "ended" }, from).endedBefore).toBe(true);
  page.client.close();
});
