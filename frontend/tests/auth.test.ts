/** What the library shows of who it is: for each connection, and when it is not taken any more. */
import { expect, test, vi } from "vitest";
import { StreamError } from "../src/client";
import { Credentials, hasExpired } from "../src/client/auth";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient, refusal } from "./support/fake.js";

const EXPIRED = {
  code: "unauthorized",
  message: "The token has expired.",
  retryable: true,
  reason: "expired",
};
const WRONG = { code: "unauthorized", message: "No token of ours.", retryable: false };

/** Gives `t1`, `t2`, … */
function counting(): { auth: () => Promise<{ token: string }>; given: () => number } {
  let count = 0;
  return { auth: () => Promise.resolve({ token: `t${(count += 1)}` }), given: () => count };
}

function tokens(server: FakeServer): unknown[] {
  return server.wires.map(({ options }) => options.auth.token);
}

test("a function is called for every connection", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { auth: counting().auth });
  const stream = client.start("x");
  await settle();
  for (let n = 0; n < 2; n += 1) {
    server.wire.lose();
    await clock.advance(10_000);
  }
  expect(tokens(server)).toEqual(["t1", "t2", "t3"]);
  const keys = new Set(server.wires.map(({ options }) => options.auth.client_key));
  expect(keys.size).toBe(1);
  expect(stream.state).toBe("waiting");
  client.close();
});

test("while it is asked, nothing else connects; what comes after a close is not used", async () => {
  const server = new FakeServer();
  let give: (auth: { token: string }) => void = () => undefined;
  const auth = vi.fn(() => new Promise<{ token: string }>((resolve) => (give = resolve)));
  const { client } = await fakeClient(server, { auth });
  client.retryNow();
  await settle();
  expect(auth).toHaveBeenCalledTimes(1);
  expect(server.wires).toEqual([]);
  client.close();
  give({ token: "late" });
  await settle();
  expect(server.wires).toEqual([]);
});

test("a token that expires in mid-stream is followed by the next, at the exact unit", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { auth: counting().auth });
  const stream = client.start("x");
  await settle();
  server.send(0, 7);
  server.wire.emit("stream_error", EXPIRED);
  expect(server.wire.over).toBe(true);
  expect(client.state).toBe("reconnecting");
  await clock.advance(1000);
  expect(tokens(server)).toEqual(["t1", "t2"]);
  expect(server.seen("offset").at(-1)).toEqual(["resume_stream", 7]);
  server.send(7, 26);
  server.end();
  await stream.done;
  expect(stream.text).toBe(server.units.join(""));
  expect(stream.result?.verified).toBe(true);
  client.close();
});

test("what was asked just then is asked again on the next connection", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { auth: counting().auth });
  server.script = ({ event, wire }) =>
    event === "start_stream" && wire === server.wires[0]
      ? { ok: false, error: EXPIRED }
      : undefined;
  const stream = client.start("x");
  await settle();
  expect(stream.error).toBeUndefined();
  await clock.advance(1000);
  expect(server.seen()).toEqual(["start_stream", "start_stream"]);
  expect(stream.id).toBe("s1");
  client.close();
});

test("what is refused is asked for once more, and then somebody has to sign in", async () => {
  const server = new FakeServer();
  const { auth, given } = counting();
  const { client, clock } = await fakeClient(server, { auth });
  const stream = client.start("x");
  await settle();
  server.refusing = WRONG;
  server.wire.lose();
  await clock.advance(60_000);
  expect(given()).toBe(3);
  expect(stream.error).toMatchObject({ code: "unauthorized" });
  expect(client.connection).toMatchObject({ error: WRONG, nextTryAt: undefined });
  server.refusing = undefined;
  client.retryNow();
  await settle();
  expect(client.state).toBe("connected");
  // And then it may be asked for once more again.
  server.refusing = EXPIRED;
  server.wire.lose();
  await clock.advance(60_000);
  expect(given()).toBe(6);
  client.close();
});

test.each([WRONG, EXPIRED])("what is fixed is not tried again: %j", async (error) => {
  const server = new FakeServer();
  server.refusing = error;
  const { client, clock } = await fakeClient(server, { auth: { token: "t" } });
  await clock.advance(60_000);
  expect(server.wires).toHaveLength(1);
  const stream = client.start("x"); // this is: somebody wants something
  await settle();
  await clock.advance(60_000);
  expect(server.wires).toHaveLength(2);
  expect(stream.error).toMatchObject({ code: "unauthorized", message: error.message });
  client.close();
});

test("one that cannot be had just now is tried again", async () => {
  const server = new FakeServer();
  let away = true;
  const auth = (): Promise<{ token: string }> =>
    away ? Promise.reject(new Error("no network")) : Promise.resolve({ token: "t" });
  const { client, clock } = await fakeClient(server, { auth });
  const stream = client.start("x");
  await settle();
  expect(client.connection.error).toMatchObject({ code: "unauthorized", reason: "unavailable" });
  expect(client.connection.error?.message).toContain("no network");
  expect(stream.error).toBeUndefined();
  away = false;
  await clock.advance(10_000);
  expect(client.state).toBe("connected");
  client.close();
});

test("its own error is told as it is, and a synchronous function will do", async () => {
  const own = new StreamError("unauthorized", "Sign in first.");
  const asked = new Credentials(() => {
    throw own;
  });
  await expect(asked.ask()).rejects.toBe(own);
  await expect(new Credentials(() => ({ token: "t" })).ask()).resolves.toEqual({ token: "t" });
  expect(new Credentials().fixed).toEqual({});
});

test("only an expired token is one", () => {
  expect(hasExpired(EXPIRED)).toBe(true);
  expect(hasExpired(WRONG)).toBe(false);
  expect(hasExpired({ code: "forbidden", reason: "expired" })).toBe(false);
});

test("an error of a start, without an id, breaks nothing off", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  server.script = () => refusal("forbidden");
  const stream = client.start("x");
  server.wire.emit("stream_error", { code: "forbidden", message: "no", retryable: false });
  await settle();
  expect(stream.error?.code).toBe("forbidden");
  expect(client.state).toBe("connected");
  client.close();
});
