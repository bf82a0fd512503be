/** Letting others read, and reading with what they were given. */
import { expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { FakeServer, FakeStream, fakeClient, refusal, streaming } from "./support/fake.js";

test("a stream is shared with its key, by its id too, and the answer is told", async () => {
  const { server, client, stream } = await streaming();
  await expect(client.share(stream)).resolves.toEqual({ grant: "grant of s1", expires: 60 });
  await expect(client.share("s1", { expires: 5 })).resolves.toBeDefined();
  await expect(client.unshare(stream)).resolves.toBeUndefined();
  expect(server.requests.slice(1).map(({ payload }) => payload)).toEqual([
    { id: "s1", key: "key of s1" },
    { id: "s1", expires: 5 },
    { id: "s1", key: "key of s1" },
  ]);
  client.close();
});

test("who may not is told so, and what has not begun cannot be shared", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  server.script = () => refusal("forbidden");
  await expect(client.share("s1")).rejects.toMatchObject({ code: "forbidden" });
  server.answering = false;
  const stream = client.start("x");
  expect(() => client.share(stream)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  client.close();
  await expect(client.share("s1")).rejects.toMatchObject({ code: "unreachable" });
  await stream.done.catch(() => undefined);
});

test("a grant is shown each time, and its end is the end of reading", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  server.streams.set("s9", new FakeStream("s9", server.units));
  const stream = client.resume("s9", { grant: "g" });
  await settle();
  server.send(0, 5);
  server.wire.lose();
  await clock.advance(10_000);
  const shown = server.requests.map(({ payload }) => [payload.grant, payload.offset]);
  expect(shown).toEqual([
    ["g", 0],
    ["g", 5],
  ]);
  const told = { id: "s9", code: "forbidden", message: "It has ended.", retryable: false };
  server.wire.emit("stream_error", told);
  await expect(stream.done).rejects.toMatchObject({ code: "forbidden", message: "It has ended." });
  expect(stream.text).toBe(server.units.slice(0, 5).join(""));
  server.script = () => refusal("unknown_stream");
  await client.describe("s9", { grant: "g" }).catch(() => undefined);
  expect(server.requests.at(-1)?.payload).toEqual({ id: "s9", grant: "g" });
  client.close();
});
