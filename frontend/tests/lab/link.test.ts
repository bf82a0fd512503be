// @vitest-environment happy-dom
/** What the lab makes of what a connection brings. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LabLink } from "../../src/lab/link";

type Listener = (...values: unknown[]) => void;

/** As much of a socket as the lab uses. */
class FakeSocket {
  readonly sent: string[] = [];
  readonly io = { engine: { transport: { name: "websocket" }, on: () => undefined } };
  readonly #listeners: [string, Listener][] = [];
  #any: Listener | undefined;

  on(event: string, listener: Listener): void {
    this.#listeners.push([event, listener]);
  }

  onAny(listener: Listener): void {
    this.#any = listener;
  }

  emit(event: string): void {
    this.sent.push(event);
  }

  receive(event: string, ...values: unknown[]): void {
    if (event.startsWith("my_")) this.#any?.(event, ...values);
    for (const [name, listener] of this.#listeners) if (name === event) listener(...values);
  }

  removeAllListeners(): void {
    this.#listeners.length = 0;
  }

  close(): void {
    this.#any = undefined;
  }
}

const opened = vi.hoisted(() => new Map<string, unknown>());
vi.mock("socket.io-client", () => ({
  io: (address: string) => {
    const socket = new FakeSocket();
    opened.set(address, socket);
    return socket;
  },
}));

let link: LabLink;
let socket: FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  link = new LabLink("http://127.0.0.1:5002/lab/");
  link.open(["websocket"]);
  socket = opened.get("http://127.0.0.1:5002/test") as FakeSocket;
});

afterEach(() => {
  link.close();
  vi.useRealTimers();
});

const pings = (): number => socket.sent.filter((event) => event === "my_ping").length;

test("a round trip of more than the second between two pings is measured as it is", () => {
  socket.receive("connect");
  vi.advanceTimersByTime(2500);
  expect(pings()).toBe(1);
  socket.receive("my_pong");
  vi.advanceTimersByTime(500);
  expect(pings()).toBe(2);
  vi.advanceTimersByTime(20);
  socket.receive("my_pong");
  expect(link.state().roundTrips).toEqual([2500, 20]);
});

test("what a connection that was lost owed is no round trip of the next", () => {
  socket.receive("connect");
  socket.receive("disconnect", "transport close");
  vi.advanceTimersByTime(10_000);
  socket.receive("connect");
  vi.advanceTimersByTime(30);
  socket.receive("my_pong");
  expect(link.state().roundTrips).toEqual([30]);
});

test("the log shows the data of an event, not its acknowledgement", () => {
  socket.receive("my_response", { data: "x", count: 1 }, () => undefined);
  expect(link.state().entries[0]).toMatchObject({
    event: "my_response",
    data: '{"data":"x","count":1}',
    sent: false,
  });
});

test("what is no address is refused", () => {
  expect(() => new LabLink("nonsense:")).toThrow("an address looks like");
});
