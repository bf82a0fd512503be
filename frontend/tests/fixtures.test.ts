/** `tests/fixtures/protocol` of the repository: every event as an example, read by Python as well. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import * as decode from "../src/client/decode";
import { SERVER_CODES, StreamError } from "../src/client/errors";
import type { ResumeStream, SetRate, StartStream, WireError } from "../src/client/protocol";
import { settle } from "./support/clock.js";
import { at, FakeServer, fakeClient } from "./support/fake.js";

interface Examples<Invalid> {
  valid: unknown[];
  invalid: Invalid[];
}

const FOLDER = resolve(import.meta.dirname, "../../tests/fixtures/protocol");

function read(name: string): unknown {
  return JSON.parse(readFileSync(resolve(FOLDER, `${name}.json`), "utf-8"));
}

const CLIENT = read("client") as Record<string, Examples<{ payload: unknown }>>;
const SERVER = read("server") as Record<string, Examples<unknown>>;
const ANSWERS = read("answers") as {
  ok: { event: string; answer: object }[];
  errors: WireError[];
  invalid: unknown[];
};

const DECODERS: Record<string, (data: unknown) => unknown> = {
  stream_start: decode.decodeInfo,
  new_char: decode.decodeChar,
  stream_chunk: decode.decodeChunk,
  stream_end: decode.decodeEnd,
  stream_error: decode.decodeErrorEvent,
  stream_waiting: decode.decodeWaiting,
  server_draining: decode.decodeDraining,
};

function cases(which: "valid" | "invalid"): [string, unknown][] {
  return Object.entries(SERVER).flatMap(([event, examples]) =>
    examples[which].map((payload): [string, unknown] => [event, payload]),
  );
}

/** The examples of an event that the library sends: with an object, in the format chunk. */
function sent<T>(event: string): T[] {
  const chosen = (CLIENT[event]?.valid ?? []).filter(
    (payload) =>
      typeof payload === "object" &&
      payload !== null &&
      !("format" in payload && payload.format !== "chunk"),
  );
  expect(chosen).not.toEqual([]);
  return chosen as T[];
}

test("every event of the server has a decoder", () => {
  expect(Object.keys(DECODERS).sort()).toEqual(Object.keys(SERVER).sort());
});

test.each(cases("valid"))("%s is understood as it is: %j", (event, payload) => {
  expect(DECODERS[event]?.(payload)).toEqual(payload);
});

test.each(cases("invalid"))("a wrong %s is not believed: %j", (event, payload) => {
  expect(() => DECODERS[event]?.(payload)).toThrow(StreamError);
});

test.each(ANSWERS.ok)("an answer to $event is understood", ({ event, answer }) => {
  const fields = decode.decodeAnswer(answer);
  expect(fields).toEqual(answer);
  const decoder = event === "describe_stream" ? decode.decodeDescription : decode.decodeInfo;
  if ("stream" in fields) expect(decoder(fields.stream)).toEqual(fields.stream);
});

test.each(ANSWERS.invalid)("a wrong answer is not believed: %j", (answer) => {
  expect(() => decode.decodeAnswer(answer)).toThrow(
    expect.objectContaining({ code: "protocol_error" }),
  );
});

test.each(ANSWERS.errors)("the error $code survives the wire", (error) => {
  const { retry_after: retryAfter, ...same } = error;
  expect(() => decode.decodeAnswer({ ok: false, error })).toThrow(
    expect.objectContaining({ name: "StreamError", ...same, retryAfter }),
  );
});

test("the codes are all there are", () => {
  expect(ANSWERS.errors.map(({ code }) => code)).toEqual([...SERVER_CODES]);
});

test("what the library sends is what the server's fixtures have", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  const next = async (action: () => unknown): Promise<object> => {
    const before = server.requests.length;
    void action();
    await settle();
    const { event, payload } = at(server.requests, before);
    return { event, payload };
  };
  for (const wanted of sent<StartStream>("start_stream")) {
    const request = { ...wanted };
    delete request.format;
    expect(await next(() => client.start(request))).toEqual({
      event: "start_stream",
      payload: { request_id: expect.any(String) as string, ...request, format: "chunk" },
    });
  }
  for (const payload of sent<ResumeStream>("resume_stream")) {
    client.forget("s1"); // which it reads
    await settle();
    const { offset, rate } = payload;
    const options = { offset, ...(rate === undefined ? {} : { rate }) };
    const resumed = await next(() => client.resume("s1", options));
    expect(resumed).toEqual({ event: "resume_stream", payload: { ...payload, format: "chunk" } });
  }
  const stream = client.start("x");
  await settle();
  const { id } = stream;
  for (const { rate } of sent<SetRate>("set_rate"))
    expect(await next(() => stream.setRate(rate))).toEqual({
      event: "set_rate",
      payload: { id, rate },
    });
  const actions = {
    pause_stream: "pause",
    continue_stream: "continue",
    stop_stream: "stop",
  } as const;
  for (const [event, action] of Object.entries(actions))
    expect(await next(() => stream[action]())).toEqual({
      event,
      payload: { id, ...(action === "stop" ? { key: expect.any(String) as string } : {}) },
    });
  const key = stream.key;
  expect(await next(() => client.share(stream, { expires: 60 }))).toEqual({
    event: "share_stream",
    payload: { id, key, expires: 60 },
  });
  expect(await next(() => client.unshare(stream))).toEqual({
    event: "unshare_stream",
    payload: { id, key },
  });
  const other = client.resume("s2", { grant: "g" });
  await settle();
  expect(
    await next(() => {
      other.leave();
    }),
  ).toEqual({ event: "leave_stream", payload: { id: "s2" } });
  const described = await next(() => void client.describe("s9").catch(() => undefined));
  expect(described).toEqual({ event: "describe_stream", payload: { id: "s9" } });
  // A token that expires is one more lost connection: the library makes another, with a new one.
  expect([...new Set(server.seen())].sort()).toEqual(
    Object.keys(CLIENT)
      .filter((event) => event !== "authenticate")
      .sort(),
  );
  client.close();
});
