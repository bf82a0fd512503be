// @vitest-environment happy-dom
/** What the page says above all when there is no connection. */
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { StreamError, type ConnectionSnapshot, type StreamClient } from "../../src/client/index.js";
import { UNCONNECTED } from "../../src/client/connection-state.js";
import { Banner } from "../../src/app/components/Banner";
import { AppContext } from "../../src/app/context";
import { en } from "../../src/app/i18n/en";
import { History } from "../../src/app/model/history";
import { PaneStore } from "../../src/app/model/paneStore";
import { Workspace } from "../../src/app/model/workspace";
import { FakeServer, fakeClient } from "../support/fake.js";

const FULL = new StreamError("rate_limited", "This address has 64 connections.", {
  retryable: true,
  retryAfter: 5,
  scope: "address",
});
const GONE = new StreamError("unreachable", "No textstream server answers.", { retryable: true });

let client: StreamClient | undefined;

afterEach(() => {
  cleanup();
  client?.close();
});

async function show(connection: Partial<ConnectionSnapshot>): Promise<void> {
  ({ client } = await fakeClient(new FakeServer()));
  const history = new History(client.store);
  const workspace = new Workspace(client, history, new PaneStore(undefined, client.url));
  const parts = { early: undefined, sources: undefined, settled: true, own: client.url };
  render(
    <AppContext value={{ ...parts, client, history, workspace }}>
      <Banner connection={{ ...UNCONNECTED, ...connection }} />
    </AppContext>,
  );
}

test.each(["connecting", "reconnecting"] as const)(
  "a refusal is told while %s, with what the server says",
  async (state) => {
    await show({ state, error: FULL, nextTryAt: performance.now() + 7000 });
    screen.getByText(en.limits.connections.address);
    screen.getByText("This address has 64 connections.");
    screen.getByText(/^Trying again in [1-7] s$/);
    expect(screen.queryByText(en.lost) !== null).toBe(state === "reconnecting");
  },
);

test("that a lost connection's server does not answer is no news", async () => {
  await show({ state: "reconnecting", error: GONE, nextTryAt: performance.now() });
  screen.getByText(en.lost);
  expect(screen.queryByText(/No server answers/)).toBeNull();
});
