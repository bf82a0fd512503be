/** A stream over connections that do not behave. */
import { expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { at, FakeServer, fakeClient, streaming, UNITS } from "./support/fake.js";

const TEXT = UNITS.join("");

test("it is there at once, and is sent when there is a connection", async () => {
  const server = new FakeServer();
  server.accepting = "silent";
  const { client } = await fakeClient(server);
  const stream = client.start("Tell me a story");
  expect([stream.id, stream.state, stream.text, stream.offset]).toEqual([
    undefined,
    "waiting",
    "",
    0,
  ]);
  server.wire.open();
  await settle();
  expect(at(server.requests, 0).payload).toEqual({
    prompt: "Tell me a story",
    format: "chunk",
    request_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  });
  expect(stream.id).toBe("s1");
  expect(stream.info?.rate).toBe(30);
  client.close();
});

test("text, states and events, to an end that is proved", async () => {
  const { server, client, stream } = await streaming();
  const seen: unknown[] = [];
  stream.on("state", (state) => seen.push(state));
  stream.on("text", ({ offset, next, text }) => seen.push([offset, next, text]));
  stream.on("end", ({ result }) => seen.push(result?.reason));
  server.send(0, 3);
  server.send(3, 26);
  server.end();
  const result = await stream.done;
  expect(result).toMatchObject({ reason: "completed", offset: 26, verified: true });
  expect(stream.text).toBe(TEXT);
  expect(seen).toEqual([[0, 3, "abc"], "streaming", [3, 26, TEXT.slice(3)], "ended", "completed"]);
  expect(stream.snapshot).toMatchObject({ state: "ended", text: TEXT, offset: 26, result });
  client.close();
});

test("text may overtake the answer that says whose it is", async () => {
  const { server, client } = await streaming();
  server.script = () => null; // held back
  server.answering = false;
  const stream = client.start("y");
  server.wire.emit("stream_chunk", { id: "s9", offset: 0, next: 2, text: "ab" });
  expect(stream.text).toBe("");
  at(server.requests, -1).answer({
    ok: true,
    stream: { id: "s9", source: "text", unit: "char", rate: 30, format: "chunk", offset: 0 },
  });
  expect(stream.text).toBe("ab");
  client.close();
});

test("repeated chunks are dropped, a gap is asked for again, an overlap too", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 3);
  server.send(0, 3);
  server.send(1, 2);
  expect(stream.text).toBe("abc");
  server.send(5, 7); // a gap
  server.send(7, 9); // was on its way before the server knew
  expect(server.seen("offset").slice(1)).toEqual([["resume_stream", 3]]);
  await settle();
  server.send(3, 6);
  expect(stream.text).toBe("abcdef");
  server.send(5, 8); // an overlap
  expect(server.seen("offset").slice(2)).toEqual([["resume_stream", 6]]);
  await settle();
  server.send(6, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  expect(stream.resumes).toBe(0); // these were not of a lost connection
  client.close();
});

test("an end that comes before the last units is not believed", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 20);
  server.end();
  expect(server.seen("offset").slice(1)).toEqual([["resume_stream", 20]]);
  await settle();
  server.send(20, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  client.close();
});

test("it goes on where it was after a drop, at its pace", async () => {
  const { server, client, stream, reconnect } = await streaming();
  server.send(0, 4);
  server.wire.lose();
  expect(stream.state).toBe("reconnecting");
  await reconnect();
  expect(at(server.requests, -1)).toMatchObject({
    event: "resume_stream",
    payload: { id: "s1", offset: 4, format: "chunk", rate: 10 },
  });
  expect([stream.state, stream.resumes]).toEqual(["streaming", 1]);
  server.send(2, 4);
  server.send(4, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  client.close();
});

test("a start whose answer was lost is sent again with the same id", async () => {
  const server = new FakeServer();
  server.answering = false;
  const { client, clock } = await fakeClient(server);
  const stream = client.start("x");
  await settle();
  server.wire.lose();
  server.answering = true;
  await clock.advance(1000);
  const [first, second] = server.seen("request_id");
  expect(server.requests).toHaveLength(2);
  expect(second).toEqual(first);
  expect([stream.state, stream.resumes]).toEqual(["waiting", 0]);
  client.close();
});

test("two streams on one connection", async () => {
  const { server, client, stream } = await streaming();
  const other = client.start("y");
  await settle();
  const [a, b] = [...server.streams.values()];
  server.send(0, 2, a);
  server.send(0, 26, b);
  server.send(2, 26, a);
  server.end("completed", 26, b);
  server.end("completed", 26, a);
  expect(await Promise.all([stream.done, other.done])).toMatchObject([
    { verified: true },
    { verified: true },
  ]);
  expect(client.streams).toEqual([stream, other]);
  client.close();
});
