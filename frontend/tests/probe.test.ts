/** Asking why a connection failed, of servers that behave as networks do. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { browserProbe } from "../src/client/probe.js";

const TIMEOUT = 7000; // ms; here it ends when the test says so
const stub = globalThis as { location?: { origin: string; href: string } };
const timers: AbortController[] = [];

beforeEach(() => {
  stub.location = { origin: "https://app.example", href: "https://app.example/" };
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    expect(ms).toBe(TIMEOUT);
    const timer = new AbortController();
    timers.push(timer);
    return timer.signal;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  timers.length = 0;
  delete stub.location;
});

const answer: RequestListener = (_request, response) => response.end("ok");
const breakOff: RequestListener = (_request, response) => response.destroy();
/** The question has arrived, and no answer comes until the time is over. */
const sayNothing: RequestListener = () => timers.at(-1)?.abort();

/** What is found at a server that behaves so at the first question, and so at the second. */
async function found(...behaviour: RequestListener[]): Promise<unknown> {
  let questions = 0;
  const server = createServer((request, response) => {
    behaviour[questions]?.(request, response);
    questions += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const finding = await browserProbe(`http://127.0.0.1:${port}`, TIMEOUT);
    expect(questions).toBe(behaviour.length);
    return finding;
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("a server that answers", async () => {
  expect(await found(answer, answer)).toBe("present");
});

test("one whose answers the page may not read refuses", async () => {
  expect(await found(answer, breakOff)).toBe("refusing");
});

test("one that breaks off is as good as absent", async () => {
  expect(await found(breakOff)).toBe("absent");
});

test("so is one that takes the question and says nothing", async () => {
  expect(await found(sayNothing)).toBe("absent");
});

test("one that falls silent at the second question is not taken for one that refuses", async () => {
  expect(await found(answer, sayNothing)).toBeUndefined();
});

test("a page asks nothing of the server that it came from", async () => {
  stub.location = { origin: "http://127.0.0.1:1", href: "http://127.0.0.1:1/" };
  expect(await browserProbe("http://127.0.0.1:1", TIMEOUT)).toBeUndefined();
  expect(timers).toEqual([]);
});
