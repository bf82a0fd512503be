// @vitest-environment happy-dom
/** The demo page's one stream: replaced, trimmed, stopped, reloaded, lost. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EndReason } from "../../src/client/index.js";
import { settle } from "../support/clock.js";
import { at, FakeServer, refusal } from "../support/fake.js";
import { Memory } from "../../src/demo/memory";
import { DemoPage } from "./page";

let page: DemoPage;

beforeEach(async () => {
  sessionStorage.clear();
  page = await DemoPage.load();
});

afterEach(() => {
  page.client.close();
});

async function started(text = "x"): Promise<void> {
  page.player.start({ source: "text", text, rate: 30 });
  await settle();
}

/** The server ends what is read last; wait until its hash is made. */
async function ended(reason?: EndReason, length?: number): Promise<void> {
  const stream = at(page.client.streams, -1);
  page.server.end(reason, length);
  await stream.done;
}

test("it is shown from its start to its verdict", async () => {
  page.player.start({ text: "x" });
  expect(page.says("state")).toBe("Waiting for the first character…");
  await settle();
  page.server.send(0, 4);
  expect(page.says("state")).toBe("Streaming");
  page.server.send(4, 26);
  await ended();
  expect([page.says("state"), page.text]).toEqual([
    "Complete, verified.",
    "abcdefghijklmnopqrstuvwxyz",
  ]);
  expect([page.says("count"), page.says("resumes"), page.says("error")]).toEqual(["26", "0", ""]);
  expect(page.player.running).toBe(false);
});

test("another start takes its place when it has begun, and not before", async () => {
  await started();
  page.server.send(0, 4);
  page.server.answering = false;
  await started("y");
  const first = at([...page.server.streams.values()], 0);
  page.server.send(4, 6, first);
  expect(page.server.seen()).toEqual(["start_stream", "start_stream"]);
  page.server.answering = true;
  await page.reconnect();
  expect(page.server.seen().slice(2)).toEqual(["resume_stream", "start_stream", "stop_stream"]);
  expect(at(page.server.requests, -1).payload).toEqual({ id: "s1", key: "key of s1" });
  page.server.send(0, 3);
  await ended("stopped", 3);
  expect([page.says("state"), page.says("count")]).toEqual(["Stopped, verified.", "3"]);
});

test("who may start and not stop leaves its own reading", async () => {
  page.server.script = ({ event }) => (event === "stop_stream" ? refusal("forbidden") : undefined);
  await started();
  page.server.send(0, 4);
  await started("y"); // in the place of the first
  await settle();
  expect(page.server.seen()).toEqual([
    "start_stream",
    "start_stream",
    "stop_stream",
    "leave_stream",
  ]);
  page.player.stop();
  await settle();
  expect(page.server.seen().slice(4)).toEqual(["stop_stream", "leave_stream"]);
  expect(page.player.running).toBe(false);
});

test("one that is refused leaves the other on the screen, and says why", async () => {
  await started();
  page.server.send(0, 4);
  page.server.script = ({ event }) =>
    event === "start_stream" ? refusal("too_many_streams") : undefined;
  await started("y");
  expect([page.says("state"), page.says("error")]).toEqual([
    "Streaming",
    "Refused: too_many_streams.",
  ]);
  expect(page.offersAgain).toBe(true);
  page.server.send(4, 26);
  await ended();
  expect(page.says("state")).toBe("Complete, verified.");
});

test("while the server goes down nothing new is asked of it, and what runs goes on", async () => {
  await started();
  page.server.send(0, 4);
  page.server.wire.emit("server_draining", { retry_after: 5 });
  const words = "Goes on for a moment, then the server ends it.";
  expect(page.says("state")).toBe(words);
  await started("y");
  expect(page.says("error")).toBe("The server is going down. Try again in a moment.");
  expect([page.says("state"), page.offersAgain]).toEqual([words, true]);
  expect(page.server.seen()).toEqual(["start_stream"]);
});

test("what was trimmed is a gap, and is counted at the end", async () => {
  await started();
  page.server.send(0, 4);
  const gone = { code: "offset_gone", message: "too late", retryable: false, first: 10 };
  page.server.wire.emit("stream_error", { id: "s1", ...gone });
  await settle();
  expect(at(page.server.requests, -1)).toMatchObject({
    event: "resume_stream",
    payload: { id: "s1", offset: 10, rate: 30 },
  });
  page.server.send(10, 26);
  await ended();
  expect(page.says("state")).toBe("Complete, but 6 characters are missing.");
  expect(page.text).toBe("abcdCharacters 5 to 10 are missing.klmnopqrstuvwxyz");
});

test("a stop without a connection is done when there is one", async () => {
  await started();
  page.server.send(0, 4);
  page.server.wire.lose();
  expect(page.says("state")).toBe("Goes on when the connection is back.");
  page.player.stop();
  expect(page.says("state")).toBe("Stops when the connection is back.");
  await page.clock.advance(10_000);
  expect(page.server.seen()).toContain("stop_stream");
  await ended("stopped", 4);
  expect(page.says("state")).toBe("Stopped, verified.");
});

test("a start that is stopped before there is a connection is never sent", async () => {
  page.server.accepting = false;
  page.server.wire.lose();
  await started();
  expect(page.says("state")).toBe("Waiting for the server…");
  page.player.stop();
  expect(page.says("state")).toBe("Not started.");
  page.server.accepting = true;
  await page.clock.advance(10_000);
  expect(page.server.seen()).toEqual([]);
  expect(sessionStorage).toHaveLength(0);
});

test("a reload goes on with it at its pace, and counts itself", async () => {
  await started();
  page.server.send(0, 4);
  page.player.setRate(5);
  page = await page.reload();
  expect(page.player.restore()).toMatchObject({ id: "s1", rate: 5, request: { text: "x" } });
  expect(page.says("state")).toBe("Getting the text back…");
  await settle();
  expect(at(page.server.requests, -1).payload).toMatchObject({ id: "s1", offset: 0, rate: 5 });
  expect([page.says("state"), page.says("resumes")]).toEqual(["Streaming", "1"]);
  page.server.send(0, 6);
  await page.reconnect();
  expect(page.says("resumes")).toBe("2");
  expect(page.text).toBe("abcdef");
});

test("one that had ended is only shown once more", async () => {
  await started();
  page.server.send(0, 26);
  await ended();
  page = await page.reload();
  page.player.restore();
  await settle();
  expect(at(page.server.requests, -1).payload).toMatchObject({ offset: 0, rate: 0 });
  page.server.send(0, 26);
  expect(page.says("state")).toBe("Getting the text back…");
  await ended();
  expect([page.says("state"), page.says("resumes")]).toEqual(["Complete, verified.", "0"]);
});

test("a start that was not answered before a reload is the same start after it", async () => {
  page.server.answering = false;
  await started();
  page.player.setRate(5);
  page.server.answering = true;
  page = await page.reload();
  page.player.restore();
  await settle();
  const [first, second] = page.server.requests;
  expect(second?.payload.request_id).toBe(first?.payload.request_id);
  expect(page.server.streams.size).toBe(1);
  expect(at(page.server.requests, -1)).toMatchObject({ event: "set_rate", payload: { rate: 5 } });
});

test("what the server has forgotten meanwhile is offered anew, as another start", async () => {
  await started();
  page.server.send(0, 4);
  page.server.streams.clear();
  page = await page.reload();
  page.player.restore();
  await settle();
  expect(page.says("error")).toContain("is no longer on the server. Its prompt is in the form.");
  expect(document.body.dataset.stream).toBe("idle");
  page.player.again();
  await settle();
  const starts = page.server.requests.filter(({ event }) => event === "start_stream");
  expect(starts).toHaveLength(2);
  expect(starts[0]?.payload.request_id).not.toBe(starts[1]?.payload.request_id);
});

test.each([
  [true, "The server was restarted."],
  [false, "The server was restarted, or has forgotten this text meanwhile."],
])("the rest is lost with the server (it said so: %s)", async (said, why) => {
  await started();
  page.server.send(0, 4);
  if (said) page.server.wire.emit("server_draining", { retry_after: 5 });
  page.server.streams.clear();
  await page.reconnect();
  expect(page.says("state")).toBe("Incomplete.");
  expect(page.says("error")).toBe(`${why} What arrived stays here, the rest is lost.`);
  expect(page.offersAgain).toBe(true);
});

test.each(["{", "7", "null", "[]", '{"id": "s1"}', '{"id": 3, "request": {}}'])(
  "%s in the storage is nothing to restore",
  async (found) => {
    page.kept = found;
    page = await page.reload();
    expect(page.player.restore()).toBeUndefined();
  },
);

test("what an earlier release has kept is restored", async () => {
  const server = new FakeServer();
  page.client.close();
  page = await DemoPage.load(server);
  await started();
  server.send(0, 26);
  const record = { request: { text: "x", unit: "char", rate: 30 }, rate: 30, asked: 1, resumes: 0 };
  const times = { firstAt: 2, lastAt: 1002, ended: true };
  page.kept = JSON.stringify({ ...record, ...times, id: "s1" });
  page = await page.reload();
  page.player.restore();
  await settle();
  server.send(0, 26);
  await ended();
  expect(page.says("state")).toBe("Complete, verified.");
  expect(document.getElementById("speed")?.textContent).toBe("25");
});

test("of two servers on one origin, each has its own stream back", () => {
  page.client.close();
  const stored = (url: string): string | undefined => new Memory(url).recall()?.id;
  const record = { request: {}, rate: 30, asked: 1, resumes: 0 };
  new Memory("https://s.example/a").remember({ ...record, id: "a" });
  expect(stored("https://s.example/b")).toBeUndefined();
  new Memory("https://s.example/b").remember({ ...record, id: "b" });
  expect([stored("https://s.example/a"), stored("https://s.example/b")]).toEqual(["a", "b"]);
});

test("a start that is over a limit says whose, until when, and what the server says", async () => {
  page.server.script = ({ event }) =>
    event === "start_stream"
      ? refusal("rate_limited", { retryable: true, retry_after: 27.4, scope: "address" })
      : undefined;
  await started();
  expect(page.says("state")).toBe("Not started.");
  expect(page.says("error")).toBe(
    "Your network address has reached its limit of streams. Try again in 28 seconds. " +
      "Refused: rate_limited.",
  );
  expect(page.offersAgain).toBe(true);
  await page.clock.advance(60_000);
  expect(page.server.requests).toHaveLength(1);
  page.server.script = () => undefined;
  page.player.again();
  await settle();
  expect(page.says("error")).toBe("");
});
