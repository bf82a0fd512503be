/** The connection: kept up, its states told, and why there is none. */
import { expect, test } from "vitest";
import type { Finding } from "../src/client/index.js";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient } from "./support/fake.js";

const BACKOFF = { initial: 200, maximum: 5000 };

test("it connects at once, and says over what", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  expect(client.connection).toEqual({
    state: "connected",
    transport: "websocket",
    attempts: 1,
    nextTryAt: undefined,
    retryAfter: undefined,
    error: undefined,
  });
  client.close();
  expect(client.state).toBe("closed");
  expect(server.wire.over).toBe(true);
});

test("the waits grow to their bound, with the next try told", async () => {
  const server = new FakeServer();
  server.accepting = false;
  const { client, clock } = await fakeClient(server, { backoff: BACKOFF });
  const waits: number[] = [];
  for (let i = 0; i < 7; i += 1) {
    const { nextTryAt, attempts, state } = client.connection;
    expect(attempts).toBe(i + 1);
    expect(state).toBe("connecting");
    const wait = (nextTryAt ?? 0) - clock.now();
    waits.push(wait);
    await clock.advance(wait - 1);
    expect(server.wires).toHaveLength(i + 1);
    await clock.advance(1);
  }
  expect(waits).toEqual([400, 800, 1600, 3200, 5000, 5000, 5000]);
  expect(client.connection.error?.code).toBe("unreachable");
  server.accepting = true;
  client.retryNow();
  await settle();
  expect(client.connection).toMatchObject({ state: "connected", error: undefined });
  client.close();
});

test("chance shortens a wait to its half at most", async () => {
  const server = new FakeServer();
  server.accepting = false;
  const { client, clock } = await fakeClient(server, { backoff: BACKOFF, random: () => 0 });
  expect(client.connection.nextTryAt).toBe(clock.now() + 200);
  client.close();
});

test("a lost connection is opened again, soon", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { backoff: BACKOFF });
  const states: string[] = [];
  client.on("state", (state) => states.push(state));
  await clock.advance(60_000);
  server.wire.lose();
  expect(client.connection.nextTryAt).toBe(60_200);
  expect(client.connection.transport).toBeUndefined();
  await clock.advance(200);
  expect(states).toEqual(["reconnecting", "connected"]);
  client.close();
});

test("connections that break at once are no reason to hurry", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { backoff: BACKOFF });
  const waits: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    server.wire.lose();
    const wait = (client.connection.nextTryAt ?? 0) - clock.now();
    waits.push(wait);
    await clock.advance(wait);
    expect(client.state).toBe("connected");
  }
  expect(waits).toEqual([400, 800, 1600, 3200]);
  client.close();
});

test("a handshake, or an answer, that does not come is a lost connection", async () => {
  const server = new FakeServer();
  server.accepting = "silent";
  const { client, clock } = await fakeClient(server, { timeout: 3000 });
  await clock.advance(2999);
  expect(client.connection.error).toBeUndefined();
  server.accepting = true;
  await clock.advance(1);
  expect(client.connection.error?.message).toContain("no answer in time");
  await clock.advance(400);
  expect(client.state).toBe("connected");
  server.answering = false;
  client.start("x");
  await clock.advance(2999);
  expect(client.state).toBe("connected");
  await clock.advance(10); // and the time that the request's few bytes may take
  expect(client.state).toBe("reconnecting");
  client.close();
});

test("where a transport is swallowed without a word, the other one comes first", async () => {
  const server = new FakeServer();
  server.accepting = "silent";
  const { client, clock } = await fakeClient(server, { timeout: 1000, backoff: BACKOFF });
  await clock.advance(5000);
  const first = server.wires.map(({ options }) => options.transports[0]);
  expect(first.slice(0, 3)).toEqual(["websocket", "polling", "websocket"]);
  client.close();
});

test("what an old connection still says is not heard", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  const old = server.wire;
  client.dropConnection();
  expect(client.state).toBe("reconnecting");
  old.lose();
  old.emitRaw("server_draining", { retry_after: 1 });
  expect(client.state).toBe("reconnecting");
  await clock.advance(10_000);
  expect(client.state).toBe("connected");
  expect(server.wires).toHaveLength(2);
  client.close();
});

test("a connection that was dropped to show it stays away for as long", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  client.dropConnection(7000);
  expect(client.connection.nextTryAt).toBe(7000);
  await clock.advance(6999);
  expect(client.state).toBe("reconnecting");
  await clock.advance(1);
  expect(client.state).toBe("connected");
  client.close();
});

test("a server that goes down says so, and until when", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  server.wire.emit("server_draining", { retry_after: 20 });
  expect(client.connection).toMatchObject({ state: "draining", retryAfter: 20 });
  server.wire.lose();
  expect(client.connection).toMatchObject({ state: "reconnecting", retryAfter: undefined });
  await clock.advance(1000);
  expect(client.state).toBe("connected");
  client.close();
});

test("a server that goes down may say so before the connection is open", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  server.accepting = "silent";
  server.wire.lose();
  await clock.advance(1000);
  // What comes with a connection is handed over before it.
  server.wire.emit("server_draining", { retry_after: 20 });
  server.wire.open();
  expect(client.connection).toMatchObject({ state: "draining", retryAfter: 20, error: undefined });
  client.close();
});

test.each<[Finding | undefined, string, boolean]>([
  ["absent", "unreachable", true],
  ["present", "unreachable", true],
  [undefined, "unreachable", true],
  ["refusing", "origin_refused", false],
])("a server found %s is %s", async (finding, code, retryable) => {
  const server = new FakeServer();
  server.accepting = false;
  const stub = globalThis as { location?: { origin: string; href: string } };
  stub.location = { origin: "https://app.example", href: "https://app.example/" };
  try {
    const { client, clock } = await fakeClient(server, {
      probe: () => Promise.resolve(finding),
      giveUpAfter: 1000,
    });
    const stream = client.start("x");
    await clock.advance(2000);
    expect(client.connection.error).toMatchObject({ code, retryable });
    expect(client.state).toBe("connecting");
    await expect(stream.done).rejects.toMatchObject({ code });
    if (finding === "refusing")
      expect(stream.error?.message).toContain("--cors-origins https://app.example");
    client.close();
  } finally {
    delete stub.location;
  }
});

test("streams give up in time; the client never does", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { giveUpAfter: 30_000 });
  const stream = client.start("x");
  await settle();
  server.accepting = false;
  server.wire.lose();
  await clock.advance(20_000);
  const late = client.start("y");
  await clock.advance(9_999);
  expect(stream.state).toBe("reconnecting");
  await clock.advance(1);
  expect(stream.error).toMatchObject({ code: "unreachable", retryable: true });
  expect(late.state).toBe("waiting");
  await clock.advance(20_000);
  expect(late.error?.code).toBe("unreachable");
  server.accepting = true;
  await clock.advance(5_000);
  expect(client.state).toBe("connected");
  client.close();
});

test("a server that asks who you are is heard", async () => {
  const server = new FakeServer();
  server.accepting = "silent";
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  server.wire.refuse({ code: "unauthorized", message: "Who are you?", retryable: false });
  expect(client.connection.error).toMatchObject({ code: "unauthorized", message: "Who are you?" });
  expect(stream.error?.code).toBe("unauthorized");
  client.close();
});

test("closing ends what runs, and what is asked for later", async () => {
  const { client } = await fakeClient(new FakeServer());
  const stream = client.start("x");
  client.close();
  client.close();
  await expect(stream.done).rejects.toMatchObject({ code: "closed" });
  expect(client.start("y").error?.code).toBe("closed");
  client.retryNow();
  expect(client.state).toBe("closed");
});

test.each(["", "nonsense", "ftp://host", "127.0.0.1:5002"])("%j is no address", async (url) => {
  const { StreamClient } = await import("../src/client/index.js");
  expect(() => new StreamClient(url)).toThrow("url: an address looks like");
});
