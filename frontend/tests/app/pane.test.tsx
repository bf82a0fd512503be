// @vitest-environment happy-dom
/** The parts of a pane around its text: speed, status, what can be done, how many read along. */
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StreamClient } from "../../src/client/index.js";
import { Actions } from "../../src/app/components/Actions";
import { Figures } from "../../src/app/components/Figures";
import { PaneHeader } from "../../src/app/components/PaneHeader";
import { Status } from "../../src/app/components/Status";
import { AppContext } from "../../src/app/context";
import { usePanes } from "../../src/app/hooks";
import { en } from "../../src/app/i18n/en";
import { History, kept } from "../../src/app/model/history";
import { PaneStore } from "../../src/app/model/paneStore";
import { Workspace } from "../../src/app/model/workspace";
import { settle } from "../support/clock.js";
import { FakeServer, FakeStream, fakeClient, refusal, UNITS } from "../support/fake.js";
import { MemoryStorage } from "./memoryStorage";

let server: FakeServer;
let client: StreamClient;
let history: History;
let workspace: Workspace;

/** How many read a stream, by its id; of others the server says nothing. */
const readers: Record<string, number> = { s1: 3 };

beforeEach(async () => {
  server = new FakeServer();
  server.script = ({ event, payload }) => {
    if (event !== "describe_stream") return undefined;
    const id = String(payload.id);
    const count = readers[id];
    if (count === undefined) return new Promise(() => undefined);
    const more = { source: "text", unit: "char", state: "producing", reason: null };
    return { ok: true, stream: { id, first: 0, next: 26, furthest: 4, readers: count, ...more } };
  };
  ({ client } = await fakeClient(server, { storage: new MemoryStorage() }));
  history = new History(client.store);
  workspace = new Workspace(client, history, new PaneStore(undefined, client.url));
  render(<Shown />);
});

afterEach(() => {
  cleanup();
  client.close();
});

const PARTS = { early: undefined, sources: undefined, settled: true };

/** The first pane, but for its text. */
function Shown() {
  const [pane] = usePanes(workspace);
  if (!pane) return undefined;
  const { stream } = pane;
  return (
    <AppContext value={{ ...PARTS, client, history, workspace, own: client.url }}>
      <PaneHeader pane={pane} alone optionsId="" optionsOpen={false} onOptions={() => undefined} />
      {stream && (
        <>
          <Status stream={stream} watching={pane.watching} />
          <Actions pane={pane} stream={stream} alone />
          <Figures stream={stream} />
        </>
      )}
    </AppContext>
  );
}

function first(): string {
  return workspace.panes()[0]?.key ?? "";
}

async function start(): Promise<void> {
  await act(async () => {
    workspace.start(first(), { prompt: "x", source: "text", params: {} });
    await settle();
  });
}

async function open(prompt: string, rate?: number): Promise<FakeStream> {
  const old = new FakeStream("old", UNITS);
  server.streams.set("old", old);
  const entry = { id: "old", source: "text", unit: "char", rate: 30, startedAt: 1 } as const;
  await act(async () => {
    client.store.add({ ...entry, reason: "completed", data: kept(prompt) });
    workspace.open("old", rate);
    await settle();
  });
  return old;
}

test("one that is refused was not started, and can be started again", async () => {
  const usual = server.script;
  server.script = (request) =>
    request.event === "start_stream" ? refusal("too_many_streams") : usual(request);
  await start();
  screen.getByText(en.states.notStarted);
  server.script = usual;
  await act(async () => {
    screen.getByText(en.again).click();
    await settle();
  });
  screen.getByText(en.states.waiting);
});

test("one that waits for its source says which place it has, until there is text", async () => {
  const usual = server.script;
  server.script = (request) => {
    if (request.event !== "start_stream") return usual(request);
    const info = { id: "s1", source: "llm", unit: "char", rate: 30, format: "chunk", offset: 0 };
    return { ok: true, stream: info, key: "k", position: 3 };
  };
  await start();
  screen.getByText("Waiting, third in line…");
  act(() => {
    server.wire.emit("stream_waiting", { id: "s1", position: 1 });
  });
  screen.getByText("Waiting, first in line…");
  act(() => {
    server.wire.emit("stream_waiting", { id: "s1", position: 0 });
  });
  screen.getByText(en.states.waiting);
  act(() => {
    server.wire.emit("stream_waiting", { id: "s1", position: 2 });
    server.wire.emit("stream_chunk", { id: "s1", offset: 0, next: 1, text: "a" });
  });
  screen.getByText(en.states.streaming);
});

const speed = (): string | null | undefined => document.querySelector("output")?.textContent;

test("the count of readers is that of the stream that is shown, while it runs", async () => {
  await start();
  screen.getByText(en.viewers(3));
  await start();
  expect(screen.queryByText(en.viewers(3))).toBeNull();
  readers.s2 = 1;
  await act(async () => {
    document.dispatchEvent(new Event("visibilitychange"));
    await settle();
  });
  screen.getByText(en.viewers(1));
  act(() => {
    workspace.panes()[0]?.stream?.leave();
  });
  expect(screen.queryByText(en.viewers(1))).toBeNull();
  screen.getByText(en.states.left);
});

test("the speed is that of what is read, and then that of the next prompt", async () => {
  act(() => {
    workspace.configure(first(), { rate: 20 });
  });
  expect(speed()).toBe("20/s");
  await open("p", 60);
  expect(speed()).toBe("60/s");
  act(() => {
    workspace.stop(first());
  });
  screen.getByText(en.states.leftEnded);
  expect(speed()).toBe("20/s");
});

test("a prompt of which only the beginning is kept is not started again, and why", async () => {
  const old = await open("y".repeat(100_000));
  await act(async () => {
    server.send(0, 26, old);
    server.end("completed", 26, old);
    await workspace.panes()[0]?.stream?.done;
  });
  const again = screen.getByRole<HTMLButtonElement>("button", { name: en.again });
  expect(again.disabled).toBe(true);
  const why = document.getElementById(again.getAttribute("aria-describedby") ?? "");
  expect(why?.textContent).toBe(en.promptCut);
});

test("a whole prompt of the history is started again as it was", async () => {
  const prompt = "z".repeat(3000);
  const old = await open(prompt);
  await act(async () => {
    server.send(0, 26, old);
    server.end("completed", 26, old);
    await workspace.panes()[0]?.stream?.done;
  });
  await act(async () => {
    screen.getByRole("button", { name: en.again }).click();
    await settle();
  });
  expect(server.requests.find(({ event }) => event === "start_stream")?.payload).toMatchObject({
    text: prompt,
    rate: "auto",
  });
});
