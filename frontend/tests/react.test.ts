// @vitest-environment happy-dom
/** The hooks, in a page: mounted, re-mounted, unmounted. */
import { act, cleanup, renderHook } from "@testing-library/react";
import { StrictMode, useLayoutEffect } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  useConnection,
  useStream,
  useStreamClient,
  useStreamValue,
  useTextStream,
} from "../src/react/index.js";
import { settle } from "./support/clock.js";
import { FakeServer, fakeClient } from "./support/fake.js";

let frames: FrameRequestCallback[] = [];

beforeEach(() => {
  frames = [];
  vi.spyOn(globalThis, "requestAnimationFrame").mockImplementation((draw) => frames.push(draw));
  vi.spyOn(globalThis, "cancelAnimationFrame").mockImplementation((id) => {
    frames.splice(id - 1, 1);
  });
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

function frame(): void {
  act(() => {
    for (const draw of frames.splice(0)) draw(0);
  });
}

test("a stream is shown as it grows, once per frame", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  let renders = 0;
  const { result, unmount } = renderHook(() => {
    renders += 1;
    return useTextStream(client);
  });
  expect(result.current).toMatchObject({ state: "idle", text: "", stream: undefined });
  act(() => {
    result.current.start("x");
  });
  await settle();
  frame();
  expect(result.current.state).toBe("waiting");
  const before = renders;
  for (let i = 0; i < 20; i += 1) server.send(i, i + 1);
  expect(frames).toHaveLength(1);
  frame();
  expect(result.current).toMatchObject({ state: "streaming", text: "abcdefghijklmnopqrst" });
  expect(renders - before).toBeLessThanOrEqual(2);
  act(() => {
    result.current.pause();
  });
  frame();
  expect(result.current.state).toBe("paused");
  act(() => {
    result.current.continue();
    result.current.stop();
  });
  server.end("stopped", 20);
  await result.current.stream?.done;
  frame();
  expect(result.current).toMatchObject({
    state: "ended",
    offset: 20,
    result: { reason: "stopped", verified: true },
  });
  unmount();
  client.close();
});

test("the stream goes on when the component goes, and can be shown again", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  const first = renderHook(() => useTextStream(client));
  act(() => {
    first.result.current.start("x");
  });
  await settle();
  server.send(0, 4);
  expect(frames).toHaveLength(1);
  first.unmount();
  expect(frames).toHaveLength(0);
  server.send(4, 6);
  const second = renderHook(() => useTextStream(client, client.streams[0]));
  expect(second.result.current.text).toBe("abcdef");
  act(() => {
    second.result.current.show(undefined);
  });
  expect(second.result.current.state).toBe("idle");
  client.close();
});

test("an effect that sees a connection may use it", async () => {
  const server = new FakeServer();
  server.accepting = "silent"; // until the component is there
  const { client } = await fakeClient(server);
  const asked: Promise<unknown>[] = [];
  renderHook(() => {
    const connected = useConnection(client)?.state === "connected";
    useLayoutEffect(() => {
      if (connected) asked.push(client.describe("s9").catch((error: unknown) => error));
    }, [connected]);
  });
  act(() => {
    server.wire.open();
  });
  await expect(Promise.all(asked)).resolves.toMatchObject([{ code: "unknown_stream" }]);
  client.close();
});

test("an error is shown", async () => {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  const { result } = renderHook(() => useTextStream(client));
  act(() => {
    result.current.start("x");
  });
  await settle();
  server.streams.clear();
  server.wire.lose();
  await clock.advance(1000);
  frame();
  expect(result.current).toMatchObject({ state: "failed", error: { code: "unknown_stream" } });
  client.close();
});

test("one value of a stream, and no rendering for its text", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  const [first, second] = [client.start("x"), client.start("y")];
  await settle();
  let renders = 0;
  const { result, rerender } = renderHook(
    ({ stream }) => {
      renders += 1;
      return useStreamValue(stream, ({ state }) => state);
    },
    { initialProps: { stream: undefined as typeof first | undefined } },
  );
  expect(result.current).toBeUndefined();
  rerender({ stream: first });
  expect(result.current).toBe("waiting");
  const before = renders;
  act(() => {
    for (let i = 0; i < 20; i += 1) server.send(i, i + 1, server.streams.get("s1"));
  });
  expect([result.current, renders - before]).toEqual(["streaming", 1]);
  rerender({ stream: second });
  expect(result.current).toBe("waiting");
  act(() => {
    first.pause();
  });
  expect([result.current, first.state]).toEqual(["waiting", "paused"]);
  client.close();
});

test("a client lives as long as its component; strict mode leaves no connection behind", async () => {
  const server = new FakeServer();
  const options = { wire: server.factory, storage: null };
  const { result, unmount, rerender } = renderHook(
    ({ url }) => {
      const client = useStreamClient(url, options);
      return { client, connection: useConnection(client), stream: useStream(undefined) };
    },
    { initialProps: { url: "http://one.example" }, wrapper: StrictMode },
  );
  await act(settle);
  expect(result.current.connection?.state).toBe("connected");
  expect(result.current.client?.url).toBe("http://one.example");
  expect(server.wires.filter(({ over }) => !over)).toHaveLength(1);
  rerender({ url: "http://two.example" });
  await act(settle);
  expect(result.current.client?.url).toBe("http://two.example");
  expect(server.wires.filter(({ over }) => !over)).toHaveLength(1);
  unmount();
  expect(server.wires.filter(({ over }) => !over)).toHaveLength(0);
});

test("the browser says when the network is back, and the client listens", async () => {
  const server = new FakeServer();
  server.accepting = false;
  const { client } = await fakeClient(server);
  server.accepting = true;
  window.dispatchEvent(new Event("online"));
  await settle();
  expect(client.state).toBe("connected");
  client.close();
});
