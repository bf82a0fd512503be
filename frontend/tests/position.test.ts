/** Its place in the line of its source, while it waits for one. */
import { expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { at, FakeServer, fakeClient } from "./support/fake.js";

function answer(id: string, position?: number): object {
  const stream = { id, source: "llm", unit: "char", rate: "auto", format: "chunk", offset: 0 };
  return { ok: true, stream, key: "k", ...(position === undefined ? {} : { position }) };
}

async function waiting(position?: number) {
  const server = new FakeServer();
  server.script = ({ event }) => (event === "start_stream" ? answer("s1", position) : undefined);
  const { client } = await fakeClient(server);
  const stream = client.start("Tell me a story");
  await settle();
  return { server, client, stream };
}

test("it is told with the answer, and whenever it is another, until its turn has come", async () => {
  const { server, client, stream } = await waiting(3);
  const seen: unknown[] = [];
  stream.subscribe(() => seen.push(stream.snapshot.position));
  expect([stream.position, stream.snapshot.position, stream.state]).toEqual([3, 3, "waiting"]);
  for (const position of [2, 4, 1, 0]) server.wire.emit("stream_waiting", { id: "s1", position });
  expect(seen).toEqual([2, 4, 1, undefined]);
  expect(stream.position).toBeUndefined();
  client.close();
});

test("text says that it is over as well", async () => {
  const { server, client, stream } = await waiting(1);
  server.wire.emit("stream_chunk", { id: "s1", offset: 0, next: 1, text: "a" });
  expect([stream.position, stream.text]).toEqual([undefined, "a"]);
  server.wire.emit("stream_waiting", { id: "s1", position: 2 }); // nobody had read it for a while
  expect([stream.position, stream.state]).toEqual([2, "streaming"]);
  client.close();
});

test("it may overtake the answer that says whose it is", async () => {
  const server = new FakeServer();
  server.answering = false;
  const { client } = await fakeClient(server);
  const stream = client.start("Tell me a story");
  await settle();
  server.wire.emit("stream_waiting", { id: "s1", position: 5 });
  expect(stream.position).toBeUndefined();
  at(server.requests, 0).answer(answer("s1", 6));
  expect(stream.position).toBe(5);
  client.close();
});

test.each([undefined, 0, -1, 1.5, "next", null])("an answer with %j is none", async (position) => {
  const { client, stream } = await waiting(position as number);
  expect([stream.id, stream.position]).toEqual(["s1", undefined]);
  client.close();
});

test("what has ended in the line waits no more", async () => {
  const { server, client, stream } = await waiting(3);
  server.wire.emit("stream_end", {
    ...{ id: "s1", reason: "stopped", offset: 0 },
    text_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  });
  await stream.done;
  expect([stream.state, stream.position]).toEqual(["ended", undefined]);
  client.close();
});

test("a lost connection forgets it: the next one tells", async () => {
  const { server, client, stream } = await waiting(3);
  server.wire.lose("reset");
  expect(stream.position).toBeUndefined();
  client.close();
});
