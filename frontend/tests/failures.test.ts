/** What a stream says when it cannot go on, and when it nevertheless does. */
import { expect, test } from "vitest";
import { MAX_FUTILE_RESUMES } from "../src/client/reader";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient, refusal, streaming, UNITS } from "./support/fake.js";

const TEXT = UNITS.join("");

test("a server that never sends what is due is given up", async () => {
  const { server, client, stream } = await streaming();
  for (let i = 0; i <= MAX_FUTILE_RESUMES; i += 1) {
    server.send(5, 7);
    await settle();
  }
  expect(stream.error?.code).toBe("protocol_error");
  client.close();
});

test("a server that has forgotten it says so, and nothing is started again", async () => {
  const { server, client, stream, reconnect } = await streaming();
  server.send(0, 4);
  server.streams.clear();
  await reconnect();
  await expect(stream.done).rejects.toMatchObject({ code: "unknown_stream", retryable: false });
  expect(stream.error?.message).toContain("restarted");
  expect(stream.text).toBe("abcd");
  expect(server.seen()).toEqual(["start_stream", "resume_stream"]);
  client.close();
});

test("unless it is asked to: then the text begins anew", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  const stream = client.start("x", { restart: true });
  await settle();
  const resets: number[] = [];
  stream.on("reset", (offset) => resets.push(offset));
  server.send(0, 4);
  server.streams.clear();
  server.wire.lose();
  await clock.advance(10_000);
  const ids = server.requests.map(({ payload }) => payload.request_id);
  expect(server.seen()).toEqual(["start_stream", "resume_stream", "start_stream"]);
  expect(ids[2]).not.toBe(ids[0]);
  expect([stream.text, stream.offset, resets]).toEqual(["", 0, [0]]);
  server.send(0, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  client.close();
});

test("a start that is refused fails with the server's words", async () => {
  const server = new FakeServer();
  server.script = () => refusal("too_many_streams", { retryable: true });
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  await expect(stream.done).rejects.toMatchObject({
    name: "StreamError",
    code: "too_many_streams",
    retryable: true,
    message: "refused: too_many_streams",
  });
  expect(stream.state).toBe("failed");
  client.close();
});

test("a start that a draining server refuses waits for the next one", async () => {
  const server = new FakeServer();
  let draining = true;
  server.script = () => (draining ? refusal("shutting_down", { retryable: true }) : undefined);
  const { client, clock } = await fakeClient(server);
  const stream = client.start("x");
  await clock.advance(3000);
  expect(stream.state).toBe("waiting");
  draining = false;
  server.wire.lose();
  await clock.advance(1000);
  expect(stream.id).toBe("s1");
  expect(new Set(server.requests.map(({ payload }) => payload.request_id)).size).toBe(1);
  client.close();
});

test("a resume that nobody can answer just now is asked for again", async () => {
  const { server, client, stream, clock } = await streaming();
  let down = true;
  server.script = () => (down ? refusal("unavailable", { retryable: true }) : undefined);
  server.wire.lose();
  await clock.advance(5000);
  expect(stream.state).not.toBe("failed");
  down = false;
  await clock.advance(5000);
  server.send(0, server.stream.units.length);
  server.end();
  await stream.done;
  expect(stream.result?.verified).toBe(true);
  client.close();
});

test.each(["before", "after"])(
  "stopped %s a draining server has refused it, a start is over at once",
  async (when) => {
    const server = new FakeServer();
    server.script = () => refusal("shutting_down", { retryable: true });
    const { client, clock } = await fakeClient(server);
    const stream = client.start("x");
    if (when === "after") await settle();
    await Promise.all([stream.stop(), settle()]);
    expect(stream.result).toMatchObject({ reason: "stopped", offset: 0 });
    expect(stream.state).toBe("ended");
    server.script = () => undefined;
    server.wire.lose();
    await clock.advance(10_000);
    expect(server.seen()).toEqual(["start_stream"]);
    client.close();
  },
);

test("other text than the server sent is an error", async () => {
  const { server, client, stream } = await streaming();
  server.wire.emit("stream_chunk", { id: "s1", offset: 0, next: 26, text: TEXT.toUpperCase() });
  server.end();
  await expect(stream.done).rejects.toMatchObject({ code: "text_mismatch" });
  expect(stream.result?.verified).toBe(false);
  client.close();
});

test("without crypto.subtle nothing is claimed", async () => {
  const { server, client, stream } = await streaming();
  const subtle = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(crypto), "subtle");
  Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
  try {
    server.send(0, 26);
    server.end();
    expect((await stream.done).verified).toBeUndefined();
  } finally {
    Reflect.deleteProperty(crypto, "subtle");
  }
  expect(subtle?.get && crypto.subtle).toBeTruthy();
  client.close();
});

test("a source that fails keeps its text and says why", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 4);
  const error = { code: "source_failed", message: "The model broke.", retryable: true };
  server.wire.emit("stream_error", { id: "s1", ...error });
  expect(stream.state).toBe("streaming");
  server.end("error", 4);
  await expect(stream.done).rejects.toMatchObject(error);
  expect(stream.result).toMatchObject({ reason: "error", verified: true });
  expect(stream.text).toBe("abcd");
  client.close();
});

test("a reader that the server itself let go of comes back", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 4);
  server.wire.emit("stream_error", {
    id: "s1",
    code: "internal_error",
    message: "The server made a mistake.",
    retryable: true,
  });
  expect(server.seen("offset").slice(1)).toEqual([["resume_stream", 4]]);
  await settle();
  server.send(4, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  client.close();
});

test("text that was trimmed is an error that says what is left", async () => {
  const { server, client, stream, reconnect } = await streaming();
  server.send(0, 4);
  server.script = ({ event }) =>
    event === "resume_stream" ? refusal("offset_gone", { first: 9 }) : undefined;
  await reconnect();
  expect(stream.error).toMatchObject({ code: "offset_gone", first: 9 });
  client.close();
});

test.each([
  ["stream_chunk", { id: "s1", offset: 0, next: 3, text: "ab" }],
  ["stream_chunk", { id: "s1", offset: 3, next: 0, text: "ab" }],
  ["stream_end", { id: "s1", reason: "bored", offset: 0, text_sha256: "" }],
  ["stream_end", "s1"],
  ["stream_error", { id: "s1", code: 7 }],
])("a wrong %s is an error, not a guess: %j", async (event, data) => {
  const { server, client, stream } = await streaming();
  server.wire.emitRaw(event, data);
  expect(stream.error?.code).toBe("protocol_error");
  client.close();
});
