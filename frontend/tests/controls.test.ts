/** Stop, pause, pace and seek: whenever they are asked for. */
import { expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { at, FakeServer, fakeClient, refusal, streaming, UNITS } from "./support/fake.js";

test("stopping is done on the server, which ends it", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 4);
  const stopped = stream.stop();
  expect(stream.snapshot.stopping).toBe(true);
  await settle();
  expect(at(server.requests, -1)).toMatchObject({ event: "stop_stream", payload: { id: "s1" } });
  server.end("stopped", 4);
  await stopped;
  expect(stream.result).toMatchObject({ reason: "stopped", offset: 4, verified: true });
  client.close();
});

test("before it was ever sent, stopping needs no server", async () => {
  const server = new FakeServer();
  server.accepting = "silent";
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  await stream.stop();
  server.wire.open();
  await settle();
  expect(server.requests).toEqual([]);
  expect(stream.result).toMatchObject({ reason: "stopped", offset: 0 });
  client.close();
});

test("a stop while the answer to the start is due follows it", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  void stream.stop();
  await settle();
  expect(server.seen()).toEqual(["start_stream", "stop_stream"]);
  client.close();
});

test("a stop while disconnected is done after the reconnect, and the text is whole", async () => {
  const { server, client, clock, stream } = await streaming();
  server.send(0, 4);
  server.wire.lose();
  void stream.stop();
  await clock.advance(1000);
  expect(server.seen().slice(1)).toEqual(["stop_stream", "resume_stream"]);
  // Two more units were sent, and lost on the way.
  expect(at(server.requests, -1).payload).toMatchObject({ offset: 4, rate: 0 });
  server.send(4, 6);
  server.end("stopped", 6);
  await stream.done;
  expect(stream.text).toBe("abcdef");
  expect(stream.result).toMatchObject({ reason: "stopped", verified: true });
  client.close();
});

test("a stop of what the server has forgotten is a stop", async () => {
  const { server, client, clock, stream } = await streaming();
  server.send(0, 4);
  server.wire.lose();
  server.streams.clear();
  const stopped = stream.stop();
  await clock.advance(1000);
  await stopped;
  expect(stream.result).toEqual({
    reason: "stopped",
    offset: 4,
    sha256: undefined,
    verified: undefined,
  });
  client.close();
});

test("what is somebody else's is not stopped, and read on", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 4);
  server.script = ({ event }) => (event === "stop_stream" ? refusal("forbidden") : undefined);
  const refused = Promise.allSettled([stream.stop(), stream.stop()]);
  for (const { status, ...more } of await refused)
    expect({ status, ...more }).toMatchObject({
      status: "rejected",
      reason: { code: "forbidden" },
    });
  expect([stream.state, stream.snapshot.stopping]).toEqual(["streaming", false]);
  server.send(4, 26);
  server.end();
  expect(await stream.done).toMatchObject({ reason: "completed", verified: true });
  client.close();
});

test("what may not be stopped is left, where nobody is told", async () => {
  const { server, client, stream } = await streaming();
  const failed = expect(stream.done).rejects.toMatchObject({ code: "closed" });
  server.script = ({ event }) => (event === "stop_stream" ? refusal("forbidden") : undefined);
  await Promise.all([stream.stopOrLeave(), stream.stopOrLeave()]);
  await failed;
  expect(server.seen().slice(1)).toEqual(["stop_stream", "leave_stream"]);
  client.close();
});

test("what may be stopped is not left", async () => {
  const { server, client, stream } = await streaming();
  const stopped = stream.stopOrLeave();
  server.end("stopped", 0);
  await stopped;
  expect(await stream.done).toMatchObject({ reason: "stopped" });
  expect(server.seen().slice(1)).toEqual(["stop_stream"]);
  client.close();
});

test("a stream's key goes with what its owner asks, here and elsewhere", async () => {
  const { server, client, stream } = await streaming();
  expect(stream.key).toBe("key of s1");
  const elsewhere = await fakeClient(server);
  const taken = elsewhere.client.resume("s1", { key: stream.key });
  await settle();
  expect(at(server.requests, -1)).toMatchObject({
    event: "resume_stream",
    payload: { id: "s1", key: "key of s1" },
  });
  void taken.stop();
  await settle();
  expect(at(server.requests, -1)).toMatchObject({
    event: "stop_stream",
    payload: { id: "s1", key: "key of s1" },
  });
  elsewhere.client.close();
  client.close();
});

test("a reader that was behind when somebody stopped it fetches what is left", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 4);
  server.end("stopped", 9);
  expect(at(server.requests, -1).payload).toMatchObject({ offset: 4, rate: 0 });
  await settle();
  server.send(4, 9);
  server.end("stopped", 9);
  await stream.done;
  expect(stream.text).toBe("abcdefghi");
  expect(stream.result?.verified).toBe(true);
  client.close();
});

test("or ends without, when the server has gone", async () => {
  const { server, client, clock, stream } = await streaming();
  server.send(0, 4);
  server.end("shutdown", 9);
  server.wire.lose();
  server.streams.clear();
  await clock.advance(1000);
  await stream.done;
  expect(stream.result).toMatchObject({ reason: "shutdown", offset: 9, verified: undefined });
  expect(stream.text).toBe("abcd");
  client.close();
});

test("a pause holds on the server, over a reconnect too", async () => {
  const { server, client, clock, stream } = await streaming();
  server.send(0, 1);
  stream.pause();
  stream.continue();
  stream.pause();
  expect(stream.state).toBe("paused");
  await settle();
  expect(server.seen().slice(1)).toEqual(["pause_stream"]);
  server.wire.lose();
  expect(stream.state).toBe("reconnecting");
  await clock.advance(1000);
  expect(server.seen().slice(2)).toEqual(["resume_stream", "pause_stream"]);
  expect(stream.state).toBe("paused");
  stream.continue();
  await settle();
  expect(at(server.requests, -1).event).toBe("continue_stream");
  expect(stream.state).toBe("streaming");
  client.close();
});

test("a pace holds at once, and over a reconnect", async () => {
  const { server, client, clock, stream } = await streaming();
  await stream.setRate(50);
  expect(at(server.requests, -1).payload).toEqual({ id: "s1", rate: 50 });
  server.wire.lose();
  await stream.setRate("auto");
  await clock.advance(1000);
  expect(at(server.requests, -1).payload).toMatchObject({ rate: "auto" });
  server.script = () => refusal("invalid_request");
  await expect(stream.setRate(1e9)).rejects.toMatchObject({ code: "invalid_request" });
  expect(stream.rate).toBe("auto");
  client.close();
});

test("a pace that is changed while the answer to the start is due follows it", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  const stream = client.start({ text: "x", rate: 1 });
  await stream.setRate(100);
  await settle();
  expect(server.seen("rate")).toEqual([
    ["start_stream", 1],
    ["set_rate", 100],
  ]);
  expect(stream.rate).toBe(100);
  client.close();
});

test("one that the server does not allow is then the old one", async () => {
  const server = new FakeServer();
  server.script = ({ event }) => (event === "set_rate" ? refusal("invalid_request") : undefined);
  const { client } = await fakeClient(server);
  const stream = client.start({ text: "x", rate: 1 });
  await stream.setRate(-1);
  await settle();
  expect([stream.rate, stream.state]).toEqual([1, "waiting"]);
  client.close();
});

test("a start that is sent again has the pace that is wanted by then", async () => {
  const server = new FakeServer();
  server.answering = false;
  const { client, clock } = await fakeClient(server);
  const stream = client.start({ text: "x", rate: 1 });
  await settle();
  server.wire.lose();
  await stream.setRate(100);
  server.answering = true;
  await clock.advance(1000);
  expect(server.seen("rate")).toEqual([
    ["start_stream", 1],
    ["start_stream", 100],
  ]);
  client.close();
});

test("a seek begins the text anew there; what was on its way is dropped", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 10);
  const resets: number[] = [];
  stream.on("reset", (offset) => resets.push(offset));
  const sought = stream.seek(2);
  server.send(10, 12);
  await sought;
  expect([stream.text, resets]).toEqual(["", [2]]);
  server.send(2, 26);
  server.end();
  await stream.done;
  expect(stream.text).toBe(UNITS.slice(2).join(""));
  expect(stream.result?.verified).toBeUndefined(); // not all of it
  client.close();
});

test("the text of a seek may overtake its answer", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 10);
  const sought = stream.seek(0);
  server.send(10, 12);
  server.send(0, 26);
  server.end();
  await sought;
  expect(await stream.done).toMatchObject({ verified: true });
  client.close();
});

test("a seek beyond the text is refused, and it goes on", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 2);
  server.script = ({ payload }) => (payload.offset ? refusal("invalid_request") : undefined);
  const sought = stream.seek(99);
  server.send(2, 4);
  await expect(sought).rejects.toMatchObject({ code: "invalid_request" });
  expect(stream.text).toBe("abcd");
  await expect(stream.seek(-1)).rejects.toMatchObject({ code: "invalid_request" });
  await expect(stream.seek(1.5)).rejects.toMatchObject({ code: "invalid_request" });
  client.close();
});

test("a seek while disconnected is done after the reconnect; one after the end is refused", async () => {
  const { server, client, clock, stream } = await streaming();
  server.send(0, 4);
  server.wire.lose();
  const sought = stream.seek(1);
  await clock.advance(1000);
  await sought;
  expect(server.seen("offset").slice(1)).toEqual([
    ["resume_stream", 4],
    ["resume_stream", 1],
  ]);
  server.send(1, 26);
  server.end();
  await stream.done;
  await expect(stream.seek(0)).rejects.toMatchObject({ code: "closed" });
  client.close();
});

test("whoever leaves before the answer leaves when it has come", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  stream.leave();
  await settle();
  expect(server.seen()).toEqual(["start_stream", "leave_stream"]);
  client.close();
});

test("whoever leaves stops reading; the stream goes on", async () => {
  const { server, client, stream } = await streaming();
  stream.leave();
  await settle();
  expect(server.seen().slice(1)).toEqual(["leave_stream"]);
  expect(stream.error?.code).toBe("closed");
  server.send(0, 4);
  expect(stream.text).toBe("");
  client.close();
});

test("a stream of somebody else is read from where one likes", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 26);
  server.end();
  await stream.done;
  expect(client.resume("s1")).not.toBe(stream);
  const again = client.resume("s1");
  expect(client.streams.filter(({ id }) => id === "s1")).toContain(again);
  expect(() => client.replay("s1")).toThrow("seek(0)");
  await settle();
  server.send(0, 26);
  server.end();
  expect(await again.done).toMatchObject({ verified: true });
  const replay = client.replay("s1", { rate: 0 });
  await settle();
  expect(at(server.requests, -1).payload).toEqual({
    id: "s1",
    offset: 0,
    format: "chunk",
    rate: 0,
  });
  replay.leave();
  expect(() => client.resume("s1", { offset: -1 })).toThrow("offset");
  client.close();
});
