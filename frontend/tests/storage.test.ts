/** Streams are remembered over a reload: which, and nothing of what they say. */
import { expect, test } from "vitest";
import type { StorageLike } from "../src/client/index.js";
import { at, FakeServer, fakeClient } from "./support/fake.js";
import { settle } from "./support/clock.js";

class MemoryStorage implements StorageLike {
  readonly items = new Map<string, string>();
  writes = 0;

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.writes += 1;
    this.items.set(key, value);
  }
}

test("what ran before a reload is read from its start, at its pace", async () => {
  const storage = new MemoryStorage();
  const server = new FakeServer();
  const before = await fakeClient(server, { storage });
  const stream = before.client.start({ prompt: "my secret", rate: 7 });
  await settle();
  server.send(0, 4);
  await stream.setRate(9);
  before.client.close();
  expect([...storage.items.values()].join("")).not.toContain("secret");

  const after = await fakeClient(server, { storage });
  expect(after.client.remembered).toMatchObject([{ id: "s1", source: "text", unit: "char" }]);
  const [restored, ...more] = after.client.restore();
  expect(more).toEqual([]);
  expect(after.client.restore()).toEqual([]);
  await settle();
  expect(at(server.requests, -1)).toMatchObject({
    event: "resume_stream",
    payload: { id: "s1", offset: 0, format: "chunk", rate: 9 },
  });
  server.send(0, 4);
  server.send(4, 26);
  server.end();
  expect(await restored?.done).toMatchObject({ reason: "completed", verified: true });
  after.client.close();

  const last = await fakeClient(server, { storage });
  expect(last.client.restore()).toEqual([]);
  expect(last.client.remembered).toMatchObject([{ id: "s1", reason: "completed" }]);
  last.client.forget("s1");
  expect(last.client.remembered).toEqual([]);
  last.client.close();
});

test("it is not written for every chunk", async () => {
  const storage = new MemoryStorage();
  const server = new FakeServer();
  const { client } = await fakeClient(server, { storage });
  const stream = client.start("x");
  await settle();
  for (let i = 0; i < 26; i += 1) server.send(i, i + 1);
  server.end();
  await stream.done;
  expect(storage.writes).toBe(3); // the client's key, when it began, and when it ended
  client.close();
});

test("what the server has forgotten is forgotten", async () => {
  const storage = new MemoryStorage();
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { storage });
  const stream = client.start("x");
  const again = client.start("y", { restart: true });
  await settle();
  server.streams.clear();
  server.wire.lose();
  await clock.advance(1000);
  expect(stream.error?.code).toBe("unknown_stream");
  expect(client.remembered.map(({ id }) => id)).toEqual([again.id]);
  client.forget(again);
  expect([again.error?.code, client.remembered]).toEqual(["closed", []]);
  expect(client.streams).toEqual([stream]);
  client.close();
});

/** A client that has read a text, and reads it once more. */
async function readingAgain() {
  const server = new FakeServer();
  const { client } = await fakeClient(server, { storage: new MemoryStorage() });
  const stream = client.start("x");
  await settle();
  server.send(0, 26);
  server.end();
  await stream.done;
  const replay = client.replay("s1");
  await settle();
  return { client, server, stream, replay };
}

test("forgetting one of two readers of a text leaves the other alone", async () => {
  const { client, server, stream, replay } = await readingAgain();
  server.send(0, 4);
  client.forget(stream);
  expect([replay.state, replay.text]).toEqual(["streaming", "abcd"]);
  expect(client.streams).toEqual([replay]);
  expect(client.remembered).toMatchObject([{ id: "s1" }]);
  client.forget(replay);
  expect([replay.error?.code, client.streams, client.remembered]).toEqual(["closed", [], []]);
  client.close();
});

test("forgetting an id forgets all that read it", async () => {
  const { client, replay } = await readingAgain();
  client.forget("s1");
  expect([replay.error?.code, client.streams, client.remembered]).toEqual(["closed", [], []]);
  client.close();
});

test("the last fifty are remembered, of each server", async () => {
  const storage = new MemoryStorage();
  const server = new FakeServer();
  const { client } = await fakeClient(server, { storage });
  for (let i = 0; i < 60; i += 1) client.start("x");
  await settle();
  expect(client.remembered.map(({ id }) => id)).toEqual(
    Array.from({ length: 50 }, (_, index) => `s${index + 11}`),
  );
  const entry = "textstream http://127.0.0.1:5002";
  expect([...storage.items.keys()]).toEqual([`${entry} client`, entry]);
  client.close();
});

test("what you keep of a stream is kept with it, whoever reads it next", async () => {
  const storage = new MemoryStorage();
  const server = new FakeServer();
  const before = await fakeClient(server, { storage });
  before.client.start("x", { data: { name: "first" } });
  await settle();
  before.client.close();
  const { client } = await fakeClient(server, { storage });
  const stream = client.resume("s1", { data: { name: "second" } });
  await settle();
  expect(client.store.find("s1")).toMatchObject({ data: { name: "first" } });
  server.send(0, 26);
  server.end();
  await stream.done;
  expect(client.store.find("s1")).toMatchObject({ reason: "completed", data: { name: "first" } });
  client.close();
});

test("one with something kept of it is marked when the server has forgotten it", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { storage: new MemoryStorage() });
  client.start("x", { data: "mine" });
  await settle();
  server.streams.clear();
  server.wire.lose();
  await clock.advance(1000);
  expect(client.remembered).toMatchObject([{ id: "s1", failure: "gone", data: "mine" }]);
  expect(client.restore()).toEqual([]);
  client.close();
});

test("one that failed is brought back after a reload, and its failure is forgotten then", async () => {
  const storage = new MemoryStorage();
  const server = new FakeServer();
  const before = await fakeClient(server, { storage, giveUpAfter: 1000 });
  before.client.start("x");
  await settle();
  server.accepting = false;
  server.wire.lose();
  await before.clock.advance(60_000);
  expect(before.client.remembered).toMatchObject([{ id: "s1", failure: "failed" }]);
  before.client.close();
  server.accepting = true;
  const { client } = await fakeClient(server, { storage });
  expect(client.restore()).toHaveLength(1);
  await settle();
  expect(client.remembered[0]).not.toHaveProperty("failure");
  client.close();
});

test("a stream that is let go of is read no more, and remembered", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server, { storage: new MemoryStorage() });
  const stream = client.start("x");
  await settle();
  client.release(stream);
  expect([stream.error?.code, client.streams]).toEqual(["closed", []]);
  expect(client.remembered).toMatchObject([{ id: "s1" }]);
  expect(client.remembered[0]).not.toHaveProperty("failure");
  client.close();
});

test("those that were read last are remembered, as many as you like", async () => {
  const server = new FakeServer();
  const storage = new MemoryStorage();
  const { client } = await fakeClient(server, { storage, remember: 2 });
  const first = client.start("x");
  client.start("x");
  await settle();
  first.leave();
  client.resume("s1");
  await settle();
  expect(client.remembered.map(({ id }) => id)).toEqual(["s2", "s1"]);
  client.start("x");
  await settle();
  expect(client.remembered.map(({ id }) => id)).toEqual(["s1", "s3"]);
  client.close();
});

test.each(["{", "7", '[null, 7, {"id": 3}]'])(
  "a storage with %s in it does no harm",
  async (text) => {
    const storage = new MemoryStorage();
    storage.setItem("textstream http://127.0.0.1:5002", text);
    const { client } = await fakeClient(new FakeServer(), { storage });
    expect(client.restore()).toEqual([]);
    client.close();
  },
);

test("a storage that refuses does no harm", async () => {
  const refuse = (): never => {
    throw new DOMException("no", "SecurityError");
  };
  const server = new FakeServer();
  const { client } = await fakeClient(server, { storage: { getItem: refuse, setItem: refuse } });
  const stream = client.start("x");
  await settle();
  server.send(0, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  client.close();
});

test("the server knows by a key that it is the same client: on each connection, after a reload", async () => {
  const storage = new MemoryStorage();
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { storage, auth: { token: "t" } });
  const { auth } = server.wire.options;
  expect(auth).toEqual({ client_key: expect.stringMatching(/^[\w-]{16,}$/) as string, token: "t" });
  server.wire.lose();
  await clock.advance(1000);
  expect(server.wire.options.auth).toEqual(auth);
  client.close();
  const after = await fakeClient(server, { storage });
  expect(server.wire.options.auth).toEqual({ client_key: auth.client_key });
  after.client.close();
  const elsewhere = await fakeClient(server, { storage: new MemoryStorage() });
  expect(server.wire.options.auth).not.toEqual({ client_key: auth.client_key });
  elsewhere.client.close();
});

test("without a storage that works the key is the page's", async () => {
  const storage: StorageLike = {
    getItem: () => {
      throw new Error("forbidden");
    },
    setItem: () => {
      throw new Error("full");
    },
  };
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server, { storage });
  const { auth } = server.wire.options;
  server.wire.lose();
  await clock.advance(1000);
  expect(server.wire.options.auth).toEqual(auth);
  client.close();
});
