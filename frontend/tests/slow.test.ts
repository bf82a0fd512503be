/** Connections that are slow, or mute: which of them are given up, and when. */
import { expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { at, FakeServer, fakeClient, streaming } from "./support/fake.js";

const MEGABYTES = { source: "text", text: "x".repeat(1_500_000) };

test("a large start has the time that its bytes take", async () => {
  const server = new FakeServer();
  server.answering = false;
  const { client, clock } = await fakeClient(server);
  const stream = client.start(MEGABYTES);
  const stopped = stream.stop(); // what follows on it has to wait as well
  await clock.advance(100_000);
  expect([client.state, server.wires.length]).toEqual(["connected", 1]);
  server.answering = true;
  server.receive(at(server.requests, 0));
  await settle();
  expect(server.seen().slice(-1)).toEqual(["stop_stream"]);
  server.end("stopped", 0);
  await stopped;
  await clock.advance(100_000);
  expect(client.state).toBe("connected");
  client.close();
});

test("and not for ever", async () => {
  const server = new FakeServer();
  server.answering = false;
  const { client, clock } = await fakeClient(server);
  client.start(MEGABYTES);
  await clock.advance(104_000); // 10 s, and 94 s for 1.5 MB at 16 kB/s
  expect(client.state).toBe("reconnecting");
  client.close();
});

test("whatever arrives puts the deadline off", async () => {
  const { server, client, clock, stream } = await streaming();
  server.answering = false;
  void stream.setRate(20);
  for (let i = 0; i < 6; i += 1) {
    await clock.advance(9000);
    server.send(i, i + 1);
  }
  await clock.advance(9000);
  server.wire.emit("server_draining", { retry_after: 20 });
  await clock.advance(9000);
  expect(server.wires).toHaveLength(1);
  at(server.requests, -1).answer({ ok: true, rate: 20 });
  await clock.advance(60_000);
  expect(server.wires).toHaveLength(1); // nothing is owed
  server.answering = false;
  stream.pause();
  await clock.advance(10_100);
  expect(client.state).toBe("reconnecting");
  client.close();
});

test("an answer that is polled for may come behind all that one poll brings", async () => {
  const server = new FakeServer();
  server.accepting = "silent";
  const { client, clock } = await fakeClient(server);
  server.wire.open("polling");
  server.answering = false;
  client.start("x");
  await clock.advance(26_000);
  expect(client.state).toBe("connected");
  await clock.advance(1000);
  expect(client.state).toBe("reconnecting");
  client.close();
});

test("connections that open and never answer count as none", async () => {
  const server = new FakeServer();
  server.answering = false;
  const { client, clock } = await fakeClient(server, { giveUpAfter: 60_000 });
  const stream = client.start("x");
  await clock.advance(59_000);
  expect(stream.error).toBeUndefined();
  expect(client.connection.attempts).toBeGreaterThan(3);
  await clock.advance(15_000); // the one that is open at the time has its chance
  expect(stream.error).toMatchObject({ code: "unreachable", retryable: true });
  client.close();
});

test("connections that answer count, however slow", async () => {
  const { server, client, clock, stream } = await streaming();
  for (let i = 0; i < 50; i += 1) {
    server.answering = false;
    void stream.setRate(20 + i);
    await clock.advance(10_100);
    server.answering = true;
    await clock.advance(5000);
  }
  expect([stream.error, stream.resumes]).toEqual([undefined, 50]);
  client.close();
});
