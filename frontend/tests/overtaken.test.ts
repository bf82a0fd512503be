/** Text that is here before the answer to the request that brings it. */
import { expect, test } from "vitest";
import type { StreamClient, TextStream } from "../src/client/index.js";
import { settle } from "./support/clock.js";
import { at, FakeServer, FakeStream, fakeClient, UNITS } from "./support/fake.js";

const TEXT = UNITS.join("");

interface Held {
  server: FakeServer;
  client: StreamClient;
  stream: TextStream;
  resets: number[];
  /** Answer the latest request of this name, as it should have been answered before. */
  answer: (offset: number) => Promise<void>;
}

/** A stream that is resumed, and whose resume the server does not answer yet. */
async function resuming(how: "resume" | "replay" | "restore"): Promise<Held> {
  const server = new FakeServer();
  server.streams.set("s1", new FakeStream("s1", UNITS));
  server.answering = false;
  const known = { id: "s1", source: "text", unit: "char", rate: 7, startedAt: 1 };
  let stored = how === "restore" ? JSON.stringify([known]) : "[]";
  const storage = {
    getItem: () => stored,
    setItem: (_key: string, value: string) => {
      stored = value;
    },
  };
  const { client } = await fakeClient(server, { storage });
  const stream = how === "restore" ? at(client.restore(), 0) : client[how]("s1");
  const resets: number[] = [];
  stream.on("reset", (offset) => resets.push(offset));
  return {
    server,
    client,
    stream,
    resets,
    answer: async (offset) => {
      const info = { id: "s1", source: "text", unit: "char", rate: 7, format: "chunk", offset };
      at(server.requests, -1).answer({ ok: true, stream: info });
      await settle();
    },
  };
}

test.each(["resume", "replay", "restore"] as const)(
  "a chunk before the answer to a %s is kept, and asked for once",
  async (how) => {
    const { server, client, stream, resets, answer } = await resuming(how);
    const read: string[] = [];
    const loop = (async () => {
      for await (const { text } of stream) read.push(text);
    })();
    server.send(0, 4);
    expect(stream.text).toBe("abcd");
    await answer(0);
    expect([stream.text, stream.state, resets]).toEqual(["abcd", "streaming", []]);
    server.send(4, 26);
    server.end();
    expect(await stream.done).toMatchObject({ reason: "completed", verified: true });
    await loop;
    expect(read.join("")).toBe(TEXT);
    expect(server.seen()).toEqual(["resume_stream"]);
    expect(stream.resumes).toBe(0);
    client.close();
  },
);

test.each(["resume", "replay", "restore"] as const)(
  "a whole text before the answer to a %s stays as it was proved",
  async (how) => {
    const { server, client, stream, resets, answer } = await resuming(how);
    server.send(0, 26);
    server.end();
    await answer(0);
    expect(await stream.done).toMatchObject({ reason: "completed", offset: 26, verified: true });
    expect([stream.text, stream.offset, resets]).toEqual([TEXT, 26, []]);
    expect(client.remembered).toMatchObject([{ id: "s1", reason: "completed" }]);
    expect(client.restore()).toEqual([]);
    client.close();
  },
);

test("an end that settles before the answer is remembered too", async () => {
  const { server, client, stream, answer } = await resuming("resume");
  server.send(0, 26);
  server.end();
  await stream.done;
  await answer(0);
  expect(stream.text).toBe(TEXT);
  expect(client.remembered).toMatchObject([{ id: "s1", reason: "completed" }]);
  client.close();
});

test("a resume whose first answer was lost does not begin anew at the second", async () => {
  const server = new FakeServer();
  server.streams.set("s1", new FakeStream("s1", UNITS));
  server.answering = false;
  const { client, clock } = await fakeClient(server);
  const stream = client.resume("s1");
  server.send(0, 4);
  server.wire.lose();
  server.answering = true;
  await clock.advance(1000);
  expect(server.seen("offset")).toEqual([
    ["resume_stream", 0],
    ["resume_stream", 4],
  ]);
  expect([stream.text, stream.offset]).toEqual(["abcd", 4]);
  client.close();
});

test("a start whose first units were trimmed begins behind them", async () => {
  const server = new FakeServer();
  server.script = () => ({
    ok: true,
    stream: { id: "s1", source: "text", unit: "char", rate: 7, format: "chunk", offset: 9 },
  });
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  const resets: number[] = [];
  stream.on("reset", (offset) => resets.push(offset));
  server.streams.set("s1", new FakeStream("s1", UNITS));
  server.send(9, 12); // before the answer, which says whose it is
  await settle();
  expect([resets, stream.text, stream.offset]).toEqual([[9], "jkl", 12]);
  client.close();
});

test("one that is left before the answer does not take the next reader with it", async () => {
  const { server, client, stream, answer } = await resuming("resume");
  const first = at(server.requests, -1);
  stream.leave();
  const again = client.resume("s1");
  const info = { id: "s1", source: "text", unit: "char", rate: 7, format: "chunk", offset: 0 };
  first.answer({ ok: true, stream: info });
  await answer(0);
  expect(server.seen()).toEqual(["resume_stream", "resume_stream"]);
  server.send(0, 4);
  expect([again.text, again.state]).toEqual(["abcd", "streaming"]);
  client.close();
});
