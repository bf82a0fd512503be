/** A server that refuses for a while: connections come again in time, starts do not. */
import { expect, test } from "vitest";
import type { WireError } from "../src/client/protocol.js";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient, refusal, streaming } from "./support/fake.js";

const BACKOFF = { initial: 200, maximum: 5000 };
const FULL: WireError = {
  code: "rate_limited",
  message: "This address has 64 connections, as many as it may.",
  retryable: true,
  retry_after: 7.5,
  scope: "address",
};

test.each([
  [0, 7500],
  [1, 12_500],
])("who is refused comes again when it may, or a little later: %d", async (random, wait) => {
  const server = new FakeServer();
  server.refusing = FULL;
  const { client, clock } = await fakeClient(server, { backoff: BACKOFF, random: () => random });
  const { message, scope } = FULL;
  expect(client.connection).toMatchObject({ state: "connecting", nextTryAt: wait });
  expect(client.connection.error).toMatchObject({ code: "rate_limited", message, scope });
  expect(client.connection.error?.retryAfter).toBe(7.5);
  await clock.advance(wait - 1);
  expect(server.wires).toHaveLength(1);
  server.refusing = undefined;
  await clock.advance(1);
  expect(client.connection).toMatchObject({ state: "connected", error: undefined });
  client.close();
});

test("a wait that grew longer than the server's stays as long", async () => {
  const server = new FakeServer();
  server.refusing = { ...FULL, retry_after: 0.001 };
  const backoff = { initial: 3000, maximum: 3000 };
  const { client } = await fakeClient(server, { backoff, random: () => 0 });
  expect(client.connection.nextTryAt).toBe(1500);
  client.close();
});

test("streams wait for a connection that is refused for a while, and go on exactly", async () => {
  const { server, client, clock, stream } = await streaming();
  server.send(0, 5);
  server.refusing = FULL;
  server.wire.lose();
  const started = client.start("later");
  await clock.advance(60_000);
  expect(client.connection).toMatchObject({ state: "reconnecting" });
  expect(client.connection.error?.code).toBe("rate_limited");
  expect([stream.state, started.state]).toEqual(["reconnecting", "waiting"]);
  server.refusing = undefined;
  client.retryNow(); // a person may, at any time
  await settle();
  expect(server.seen("offset")).toContainEqual(["resume_stream", 5]);
  expect(started.id).toBe("s2");
  const [first] = server.streams.values();
  server.send(5, 26, first);
  server.end("completed", 26, first);
  expect(await stream.done).toMatchObject({ offset: 26, verified: true });
  client.close();
});

test("a start that is refused is not started again", async () => {
  const server = new FakeServer();
  server.script = ({ event }) =>
    event === "start_stream"
      ? refusal("too_many_streams", { retryable: true, retry_after: 5, scope: "source" })
      : undefined;
  const { client, clock } = await fakeClient(server);
  const stream = client.start("x");
  await settle();
  expect(stream.error).toMatchObject({
    code: "too_many_streams",
    retryable: true,
    retryAfter: 5,
    scope: "source",
  });
  await clock.advance(60_000);
  expect(server.requests).toHaveLength(1);
  client.close();
});
