/** What is told of a connection is so by then: its listeners may use it. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { StreamClient } from "../src/client/index.js";
import type { ManualClock } from "./support/clock.js";
import { settle } from "./support/clock.js";
import { DESCRIBED, FakeServer, fakeClient } from "./support/fake.js";

let server: FakeServer;
let client: StreamClient;
let clock: ManualClock;

beforeEach(async () => {
  server = new FakeServer();
  server.accepting = "silent"; // until the test listens
  ({ client, clock } = await fakeClient(server));
  server.script = ({ event }) =>
    event === "describe_stream" ? { ok: true, stream: DESCRIBED } : undefined;
});

afterEach(() => {
  client.close();
});

/** Open the connection, lose it, and open the next: what is told at the first is told at both. */
async function twice(): Promise<void> {
  server.wire.open();
  await settle();
  server.wire.lose();
  await clock.advance(10_000);
  server.wire.open();
  await settle();
}

test("a stream is described as soon as the state is connected", async () => {
  const asked: Promise<unknown>[] = [];
  client.on("state", (state) => {
    if (state === "connected") asked.push(client.describe("s9"));
  });
  await twice();
  await expect(Promise.all(asked)).resolves.toEqual([DESCRIBED, DESCRIBED]);
});

test.each(["transport", "state"] as const)(
  "a stream is described as soon as a snapshot's %s says that there is a connection",
  async (field) => {
    const asked: Promise<unknown>[] = [];
    let before: unknown;
    client.subscribe(() => {
      const now = client.connection[field];
      const begins = now === "websocket" || now === "connected";
      if (now !== before && begins) asked.push(client.describe("s9"));
      before = now;
    });
    await twice();
    await expect(Promise.all(asked)).resolves.toEqual([DESCRIBED, DESCRIBED]);
  },
);

test("so when a server that goes down says so before its connection is open", async () => {
  const asked: Promise<unknown>[] = [];
  const told: string[] = [];
  client.on("state", (state) => {
    told.push(state);
    if (state === "draining") asked.push(client.describe("s9"));
  });
  server.wire.emit("server_draining", { retry_after: 3 });
  expect(told).toEqual([]);
  server.wire.open();
  await settle();
  await expect(Promise.all(asked)).resolves.toEqual([DESCRIBED]);
  expect(told).toEqual(["draining"]);
  expect(client.connection).toMatchObject({ state: "draining", retryAfter: 3 });
});

test("streams are started and resumed there, once each", async () => {
  const before = client.start({ text: "before" });
  client.on("state", (state) => {
    if (state !== "connected") return;
    client.start({ text: "within" });
    client.resume("s1");
  });
  server.wire.open();
  await settle();
  expect(server.seen()).toEqual(["start_stream", "start_stream", "resume_stream"]);
  expect(before.id).toBe("s1");
});

test("a stream that is read is found there, and used, after a reconnect", async () => {
  server.wire.open();
  await settle();
  const stream = client.start({ text: "x" });
  await settle();
  client.on("state", (state) => {
    if (state !== "connected") return;
    expect(client.resume("s1")).toBe(stream);
    stream.pause();
  });
  server.wire.lose();
  await clock.advance(10_000);
  server.wire.open();
  await settle();
  expect(server.seen()).toEqual(["start_stream", "resume_stream", "pause_stream"]);
  expect(stream.resumes).toBe(1);
});

test("once the loss is told there is no connection: what is started waits for the next", async () => {
  server.wire.open();
  await settle();
  const asked: Promise<unknown>[] = [];
  client.on("state", (state) => {
    if (state !== "reconnecting") return;
    client.start({ text: "x" });
    asked.push(client.describe("s9").catch((error: unknown) => error));
  });
  server.wire.lose();
  await settle();
  expect(server.requests).toEqual([]);
  await expect(Promise.all(asked)).resolves.toMatchObject([{ code: "unreachable" }]);
  await clock.advance(10_000);
  server.wire.open();
  await settle();
  expect(server.seen()).toEqual(["start_stream"]);
});

test.each([
  ["dropConnection", "reconnecting"],
  ["close", "closed"],
] as const)("%s there is told to all, behind what they hear first", async (method, state) => {
  const seen: string[] = [];
  client.on("state", (now) => {
    if (now === "connected") client[method]();
  });
  client.on("state", (now) => seen.push(now));
  client.start({ text: "x" });
  server.wire.open();
  await settle();
  expect(seen).toEqual(["connected", state]);
  expect(client.state).toBe(state);
});

test("a listener of a stream that breaks the connection off keeps the others from it", async () => {
  const stream = client.start({ text: "x" });
  client.start({ text: "y" });
  const drop = vi.fn(() => {
    unsubscribe();
    client.dropConnection();
  });
  const unsubscribe = stream.subscribe(drop);
  server.wire.open();
  await settle();
  expect(drop).toHaveBeenCalledOnce();
  expect(client.state).toBe("reconnecting");
  await clock.advance(10_000);
  server.wire.open();
  await settle();
  expect(client.streams.map(({ id }) => id).sort()).toEqual(["s1", "s2"]);
});
