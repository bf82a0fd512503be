/** Opening requests that are refused by HTTP: what comes of them over a real wire. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "../src/client/clock.js";
import type { WireError } from "../src/client/protocol.js";
import { socketIoWire } from "../src/client/socketio.js";
import type { Wire, WireOptions } from "../src/client/wire.js";

type Transports = WireOptions["transports"];

const REFUSAL: WireError = {
  code: "rate_limited",
  message: "This address has 1 connections, as many as it may. Close one, or try again later.",
  retryable: true,
  retry_after: 4.5,
  scope: "address",
};
const PROXY: WireError = {
  code: "rate_limited",
  message: "A proxy in front of the server takes no connection from here for now (HTTP 429).",
  retryable: true,
};
/** The answer to a handshake of Engine.IO. */
const LET_IN = '0{"sid":"s7","upgrades":[],"pingInterval":25000,"pingTimeout":20000}';

interface Reply {
  status: number;
  body: string;
  wait?: string;
}

const after: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const clean of after.splice(0)) await clean();
});

interface Site {
  url: string;
  /** Methods, transports and sessions, as they are asked for. */
  asked: string[];
  /** The first request that is left without an answer. */
  held: Promise<IncomingMessage>;
}

/** A server that answers all alike, or no HTTP request at all. */
async function site(reply: Reply | "nothing"): Promise<Site> {
  const asked: string[] = [];
  let hold: (request: IncomingMessage) => void = () => undefined;
  const held = new Promise<IncomingMessage>((resolve) => (hold = resolve));
  const note = ({ method, url = "" }: IncomingMessage): void => {
    const query = new URL(url, "http://x").searchParams;
    asked.push([method, query.get("transport"), query.get("sid")].filter(Boolean).join(" "));
  };
  const server = createServer((request, response: ServerResponse) => {
    note(request);
    if (reply === "nothing") {
      hold(request);
      return;
    }
    const { status, body, wait } = reply;
    response.writeHead(status, wait === undefined ? {} : { "Retry-After": wait }).end(body);
  });
  server.on("upgrade", (request, socket) => {
    note(request);
    socket.end("HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, held };
}

function optionsOf(transports: Transports): WireOptions {
  return { transports, path: "/socket.io/", auth: {} };
}

/** How a connection over `transports` ends. */
async function ends(url: string, transports: Transports): Promise<unknown> {
  let wire: Wire | undefined;
  try {
    return await new Promise((resolve) => {
      wire = socketIoWire(url, optionsOf(transports), {
        opened: () => {
          resolve("opened");
        },
        lost: resolve,
        refused: resolve,
        transport: () => undefined,
        event: () => undefined,
      });
    });
  } finally {
    wire?.close();
  }
}

const ORDERS: Transports[] = [
  ["websocket", "polling"],
  ["polling", "websocket"],
  ["polling"],
  ["websocket"],
];

test.each(ORDERS)("a refusal is heard over %s, %s", async (...transports) => {
  const { url } = await site({ status: 429, body: JSON.stringify(REFUSAL) });
  expect(await ends(url, transports.filter(Boolean))).toEqual(REFUSAL);
});

test("so is that of a server that has too many", async () => {
  const full = { ...REFUSAL, scope: "server" };
  const { url } = await site({ status: 503, body: JSON.stringify(full) });
  expect(await ends(url, ["websocket", "polling"])).toEqual(full);
});

test("so is that of a server that does not know the name it is asked for by", async () => {
  const named: WireError = {
    code: "forbidden",
    message: "den is no name of this server that it knows.",
    retryable: false,
  };
  const { url } = await site({ status: 421, body: JSON.stringify(named) });
  for (const transports of [["polling"], ["websocket"]] as const)
    expect(await ends(url, transports)).toEqual(named);
});

test.each([
  ["30", { retry_after: 30 }],
  ["Wed, 21 Oct 2026 07:28:00 GMT", {}],
  [undefined, {}],
])("a proxy's own, which says %s", async (wait, more) => {
  const { url } = await site({
    status: 429,
    body: "<h1>Too Many Requests</h1>",
    ...(wait !== undefined && { wait }),
  });
  for (const transports of [["polling"], ["websocket"]] as const)
    expect(await ends(url, transports)).toEqual({ ...PROXY, ...more });
});

test.each([
  [503, "<h1>Service Unavailable</h1>"], // a proxy with nothing behind it
  [503, '{"status":"shutting_down"}'],
  [421, "<h1>Misdirected Request</h1>"],
  [404, JSON.stringify(REFUSAL)],
  [400, '"Invalid transport"'],
])("an HTTP %i with %s is no refusal", async (status, body) => {
  const { url } = await site({ status, body });
  expect(await ends(url, ["websocket", "polling"])).toBe("xhr poll error");
  expect(await ends(url, ["websocket"])).toBe("websocket error");
});

test("who may only use WebSockets asks by polling, and ends the session if there is one", async () => {
  const { url, asked } = await site({ status: 200, body: LET_IN });
  expect(await ends(url, ["websocket"])).toBe("websocket error");
  expect(asked).toEqual(["GET websocket", "GET polling", "POST polling s7"]);
});

test("one that is cut while it asks gives the question up, and reports nothing", async () => {
  const { url, held } = await site("nothing");
  const told: string[] = [];
  const tell = (what: string) => (): void => void told.push(what);
  const wire = socketIoWire(url, optionsOf(["websocket"]), {
    opened: tell("opened"),
    lost: tell("lost"),
    refused: tell("refused"),
    transport: tell("transport"),
    event: tell("event"),
  });
  const question = await held;
  wire.cut();
  await new Promise((gone) => question.once("close", gone));
  expect(told).toEqual([]);
});

test("a wait that is longer than a timer can be does not end at once", () => {
  vi.useFakeTimers();
  let rung = false;
  const cancel = systemClock.after(2 ** 31, () => (rung = true));
  vi.advanceTimersByTime(1000);
  cancel();
  expect(rung).toBe(false);
});
