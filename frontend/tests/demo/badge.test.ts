// @vitest-environment happy-dom
/** What the demo page says of its connection. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Finding } from "../../src/client/index.js";
import { settle } from "../support/clock.js";
import { FakeServer } from "../support/fake.js";
import { DemoPage } from "./page";

const LOST = "Connection lost. Trying again…";
const NOT_THERE = "The server is not there. Start it with “make run”.";
const AGAIN = "Connected again. Nothing was lost.";

let page: DemoPage;

beforeEach(() => {
  sessionStorage.clear();
});

afterEach(() => {
  page.client.close();
  vi.useRealTimers();
});

const cut = (): string | null | undefined => document.getElementById("cut")?.ariaDisabled;

test("connected, and over what", async () => {
  page = await DemoPage.load();
  expect([page.says("connection"), page.says("detail")]).toEqual(["Connected", "WebSocket"]);
  expect(cut()).toBe("false");
});

test("a server that is not there is told at the first try", async () => {
  const server = new FakeServer();
  server.accepting = "silent";
  page = await DemoPage.load(server);
  expect([page.says("connection"), page.says("detail")]).toEqual(["Connecting…", ""]);
  server.wire.lose();
  await settle();
  expect(page.says("connection")).toBe(NOT_THERE);
  expect(cut()).toBe("true");
});

test("a lost one, while it may only be the network; then how often it was tried", async () => {
  page = await DemoPage.load();
  page.server.accepting = false;
  page.client.dropConnection();
  expect([page.says("connection"), page.says("detail")]).toEqual([LOST, ""]);
  const said = new Set<string>();
  for (let i = 0; i < 100 && page.says("detail") !== "attempt 3"; i += 1) {
    said.add(`${page.says("detail")}: ${page.says("connection")}`);
    await page.clock.advance(100);
  }
  expect([...said]).toEqual([`: ${LOST}`, `attempt 1: ${LOST}`, `attempt 2: ${NOT_THERE}`]);
  page.server.accepting = true;
  await page.clock.advance(10_000);
  expect([page.says("connection"), page.says("detail")]).toEqual(["Connected", "WebSocket"]);
});

test("where a text went on, that nothing was lost; after a while that is no news", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  page = await DemoPage.load();
  page.player.start({ text: "x" });
  await settle();
  page.server.send(0, 4);
  await page.reconnect();
  expect(page.says("connection")).toBe(AGAIN);
  vi.advanceTimersByTime(6000);
  expect(page.says("connection")).toBe("Connected");
});

test("a server that goes down is gone, not lost; and may go down at once", async () => {
  page = await DemoPage.load();
  page.player.start({ text: "x" });
  await settle();
  page.server.wire.emit("server_draining", { retry_after: 5 });
  expect(page.says("connection")).toBe("The server is going down.");
  page.server.accepting = "silent";
  page.server.wire.lose();
  expect(page.says("connection")).toBe(LOST);
  await page.clock.advance(10_000);
  page.server.wire.emit("server_draining", { retry_after: 5 });
  page.server.wire.open();
  await settle();
  expect([page.says("connection"), page.says("resumes")]).toEqual([
    "The server is going down.",
    "1",
  ]);
  expect(page.connections).toBe(2);
  page.server.accepting = false;
  page.server.wire.lose();
  await page.clock.advance(10_000);
  expect(page.says("connection")).toBe("The server has gone down. Trying again…");
});

test("offline is another thing", async () => {
  page = await DemoPage.load();
  page.server.accepting = false;
  const online = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
  window.dispatchEvent(new Event("offline"));
  expect(page.says("connection")).toBe("Connected");
  page.server.wire.lose();
  expect(page.says("connection")).toBe("You are offline. Goes on by itself.");
  online.mockReturnValue(true);
  window.dispatchEvent(new Event("online"));
  expect(page.says("connection")).toBe(LOST);
  online.mockRestore();
});

test("a server that does not take pages of this origin names the cure", async () => {
  const server = new FakeServer();
  server.accepting = false;
  const probe = (): Promise<Finding> => Promise.resolve("refusing");
  page = await DemoPage.load(server, { probe });
  server.wire.lose();
  await settle();
  expect(page.says("connection")).toMatch(/does not accept pages .* Start it with --cors-origins/);
});

test("a connection that is refused for a while says whose limit it is, and from when on it is tried", async () => {
  page = await DemoPage.load();
  const refusing = { code: "rate_limited", message: "Full.", retryable: true, retry_after: 4.5 };
  page.server.refusing = { ...refusing, scope: "address" };
  page.server.wire.lose();
  await page.clock.advance(2000);
  expect(page.says("connection")).toBe(
    "Too many connections from your network address. Close other pages, or wait. " +
      "Trying again after 5 seconds.",
  );
  page.server.refusing = undefined;
  await page.clock.advance(10_000);
  expect(page.says("connection")).toBe("Connected");
});
