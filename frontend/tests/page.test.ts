/** What the library does when its page goes away, comes back, or is online again. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient } from "./support/fake.js";

const global = globalThis as { window?: EventTarget };

beforeEach(() => {
  global.window = new EventTarget();
});

afterEach(() => {
  delete global.window;
});

function tell(event: string, more: object = {}): void {
  global.window?.dispatchEvent(Object.assign(new Event(event), more));
}

test("a page that goes away takes leave of the server", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  tell("pagehide", { persisted: false });
  expect([server.farewells, client.state]).toEqual([1, "connected"]);
  client.close();
});

test("one that comes back out of the cache connects at once, and goes on", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  await settle();
  server.send(0, 4);
  tell("pagehide", { persisted: true });
  tell("pageshow", { persisted: true });
  await settle(); // and the clock stands still
  expect([client.state, server.wires.length]).toEqual(["connected", 2]);
  expect(server.seen("offset").slice(1)).toEqual([["resume_stream", 4]]);
  server.send(4, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  client.close();
});

test("one that is shown for the first time does nothing", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  tell("pageshow", { persisted: false });
  await settle();
  expect(server.wires).toHaveLength(1);
  client.close();
});

test("online again, it tries at once", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  server.wire.lose();
  tell("online");
  await settle();
  expect([client.state, server.wires.length]).toEqual(["connected", 2]);
  client.close();
});

test("another tab's change of the storage is told, and no other entry's", async () => {
  const { client } = await fakeClient(new FakeServer());
  let changes = 0;
  client.store.subscribe(() => (changes += 1));
  tell("storage", { key: "textstream http://elsewhere" });
  expect(changes).toBe(0);
  tell("storage", { key: "textstream http://127.0.0.1:5002" });
  tell("storage", { key: null });
  expect(changes).toBe(2);
  client.close();
});

test("a client that was closed listens no more", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  client.close();
  tell("pagehide", { persisted: true });
  tell("pageshow", { persisted: true });
  tell("online");
  await settle();
  expect([server.farewells, server.wires.length, client.state]).toEqual([0, 1, "closed"]);
});
