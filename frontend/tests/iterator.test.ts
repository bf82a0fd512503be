/** A stream as an async iterator, with back-pressure. */
import { expect, test } from "vitest";
import type { TextStream } from "../src/client/index.js";
import { HIGH_WATER, LOW_WATER } from "../src/client/backlog";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient, UNITS } from "./support/fake.js";

const SIZE = 10_000;
const LONG = Array.from({ length: 40 * SIZE }, (_, index) => String(index % 10));

async function streaming(units = UNITS) {
  const server = new FakeServer();
  server.units = units;
  const { client } = await fakeClient(server);
  const stream = client.start("x");
  await settle();
  return { server, client, stream };
}

async function collect(stream: TextStream): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of stream) texts.push(text);
  return texts;
}

test("every loop gets everything, whenever it begins", async () => {
  const { server, client, stream } = await streaming();
  const first = collect(stream);
  server.send(0, 2);
  server.send(2, 5);
  await settle();
  const second = collect(stream);
  server.send(5, 26);
  server.end();
  await stream.done;
  const third = collect(stream);
  expect(await first).toEqual(["ab", "cde", "fghijklmnopqrstuvwxyz"]);
  expect(await second).toEqual(["abcde", "fghijklmnopqrstuvwxyz"]);
  expect(await third).toEqual(["abcdefghijklmnopqrstuvwxyz"]);
  client.close();
});

test("a failure comes after the text before it", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 2);
  const texts: string[] = [];
  const reading = (async () => {
    for await (const { text } of stream) texts.push(text);
  })();
  server.end("error", 2);
  await expect(reading).rejects.toMatchObject({ code: "source_failed" });
  expect(texts).toEqual(["ab"]);
  client.close();
});

test("leaving a loop early lets the stream go on", async () => {
  const { server, client, stream } = await streaming();
  server.send(0, 2);
  for await (const { text } of stream) {
    expect(text).toBe("ab");
    break;
  }
  server.send(2, 26);
  server.end();
  expect(await stream.done).toMatchObject({ verified: true });
  expect(server.seen()).toEqual(["start_stream"]);
  client.close();
});

test("a consumer that is behind makes the server stand still until it is not", async () => {
  const { server, client, stream } = await streaming(LONG);
  const chunks = stream[Symbol.asyncIterator]();
  let sent = 0;
  while (sent <= HIGH_WATER) {
    expect(server.seen()).toEqual(["start_stream"]);
    server.send(sent, sent + SIZE);
    sent += SIZE;
  }
  await settle();
  expect(server.seen()).toEqual(["start_stream", "pause_stream"]);
  let taken = 0;
  while (sent - taken >= LOW_WATER) {
    expect(server.seen()).toEqual(["start_stream", "pause_stream"]);
    taken += (await chunks.next()).value?.text.length ?? 0;
  }
  await settle();
  expect(server.seen()).toEqual(["start_stream", "pause_stream", "continue_stream"]);
  client.close();
});

test("with events alone nobody is behind; a consumer that leaves is not", async () => {
  const { server, client, stream } = await streaming(LONG);
  server.send(0, LONG.length);
  await settle();
  expect(server.seen()).toEqual(["start_stream"]);
  const chunks = stream[Symbol.asyncIterator]();
  await settle();
  stream.pause();
  stream.continue();
  await settle();
  await chunks.return?.();
  await settle();
  expect(stream.state).toBe("streaming");
  expect(server.seen().filter((event) => event === "pause_stream")).toHaveLength(
    server.seen().filter((event) => event === "continue_stream").length,
  );
  client.close();
});
