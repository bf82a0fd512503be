/** The library and the real server, over connections that break. */
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  StreamClient,
  type ClientOptions,
  type ConnectionSnapshot,
  type TextStream,
} from "../src/client/index.js";
import { hasServer, startChaos, startServer, type Running } from "./support/processes.js";
import { startProxy } from "./support/proxy.js";

const CLUSTERS = ["a", "字", "e\u0301", "👨‍👩‍👧‍👦", "🇩🇪", "क्षि", "\r\n", " "];
const TEXT = CLUSTERS.join("").repeat(150); // 1,200 units
const TRANSPORTS = ["websocket", "polling"] as const;

let server: Running;
const clients: StreamClient[] = [];

function connect(url: string, options: ClientOptions = {}): StreamClient {
  const backoff = { initial: 5, maximum: 50 };
  const client = new StreamClient(url, { backoff, timeout: 3000, ...options });
  clients.push(client);
  return client;
}

async function until(stream: TextStream, offset: number): Promise<void> {
  while (stream.offset < offset)
    await new Promise<void>((resolve) => {
      const off = stream.on("text", () => {
        off();
        resolve();
      });
    });
}

/** Wait until the connection is so; a person who does not want to wait has it tried now. */
async function comes(
  client: StreamClient,
  is: (now: ConnectionSnapshot) => boolean,
  impatient = true,
): Promise<ConnectionSnapshot> {
  while (!is(client.connection)) {
    const changed = new Promise<void>((resolve) => {
      const off = client.subscribe(() => {
        off();
        resolve();
      });
    });
    if (impatient && client.connection.error) client.retryNow();
    await changed;
  }
  return client.connection;
}

describe.runIf(hasServer)("with the real server", () => {
  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });

  test.each(TRANSPORTS)("dropped three times over %s, it is exact", async (transport) => {
    const client = connect(server.url, { transports: [transport] });
    const stream = client.start({ text: TEXT, rate: 600 });
    for (const offset of [1, 200, 700]) {
      await until(stream, offset);
      expect(client.connection.transport).toBe(transport);
      client.dropConnection();
      expect([client.state, stream.state]).toEqual(["reconnecting", "reconnecting"]);
    }
    expect(await stream.done).toMatchObject({ reason: "completed", offset: 1200, verified: true });
    expect(stream.text).toBe(TEXT);
    expect(stream.resumes).toBe(3);
  });

  test.each(TRANSPORTS)(
    "cut by chaos every few hundred bytes over %s, it is exact",
    async (transport) => {
      // Not for ever: what is owed at once after a cut may be more than comes through until the next.
      const faults = [
        "--cut-every",
        "600-4000",
        "--cut",
        "both",
        "--seed",
        "5",
        "--max-cuts",
        "30",
      ];
      const chaos = await startChaos(server, ...faults);
      const client = connect(chaos.url, { transports: [transport] });
      const streams = [1000, 2000, "auto" as const].map((rate) =>
        client.start({ text: TEXT, rate }),
      );
      let iterated = "";
      for await (const { text } of streams[0] ?? []) iterated += text;
      for (const stream of streams) {
        expect(await stream.done).toMatchObject({ reason: "completed", verified: true });
        expect(stream.text).toBe(TEXT);
      }
      expect(iterated).toBe(TEXT);
      if (transport === "websocket") expect(streams[0]?.resumes).toBeGreaterThan(3);
      client.close();
      await chaos.stop("SIGINT");
    },
  );

  test.each<[string, (socket: Duplex) => void]>([
    ["refuses WebSockets", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["swallows WebSockets without a word", () => undefined],
  ])("a proxy that %s is no obstacle", async (_what, upgrade) => {
    const proxy = await startProxy(server, upgrade);
    const client = connect(proxy.url, { timeout: 1000 });
    const stream = client.start({ text: TEXT, rate: 0 });
    expect(await stream.done).toMatchObject({ verified: true });
    expect(client.connection.transport).toBe("polling");
    expect(proxy.upgrades()).toBeGreaterThan(0);
    client.close();
    await proxy.stop();
  });

  test("pause, pace, seek, stop, replay", async () => {
    const client = connect(server.url);
    const stream = client.start({ text: TEXT, rate: 200 });
    await until(stream, 20);
    stream.pause();
    stream.continue();
    await stream.setRate(400);
    await until(stream, 60);
    const before = stream.text.length;
    await stream.seek(10);
    // It begins anew there; its first units may have come in one go with the answer.
    expect(stream.text.length).toBeLessThan(before / 2);
    await until(stream, 40);
    await expect(stream.seek(1_000_000)).rejects.toMatchObject({ code: "invalid_request" });
    await stream.stop();
    expect(stream.result?.reason).toBe("stopped");
    const length = stream.result?.offset ?? 0;
    const replay = client.replay(stream.id ?? "", { rate: 0 });
    expect(await replay.done).toMatchObject({ reason: "stopped", offset: length, verified: true });
    expect(replay.text.endsWith(stream.text)).toBe(true);
    expect(TEXT.startsWith(replay.text)).toBe(true);
  });

  test("a second client watches from the start; both end with the same text", async () => {
    const [one, two] = [connect(server.url), connect(server.url)];
    const stream = one.start({ text: TEXT, rate: 800 });
    await until(stream, 300);
    const watched = two.resume(stream.id ?? "");
    const late = connect(server.url).resume(stream.id ?? "", { offset: stream.offset });
    await until(watched, 100);
    await stream.stop();
    await Promise.all([watched.done, late.done]);
    expect(watched.text).toBe(stream.text);
    expect(watched.result).toEqual(stream.result);
    expect(stream.text.endsWith(late.text)).toBe(true);
  });

  test("a stop while disconnected, with all that was sent", async () => {
    const client = connect(server.url);
    const stream = client.start({ text: TEXT, rate: 300 });
    await until(stream, 50);
    client.dropConnection(100);
    await stream.stop();
    expect(stream.result).toMatchObject({ reason: "stopped", verified: true });
    expect(TEXT.startsWith(stream.text)).toBe(true);
  });

  test("a consumer that does not read holds the server back", async () => {
    const client = connect(server.url);
    const text = "x".repeat(490_000);
    const stream = client.start({ text, rate: 0 });
    let read = "";
    for await (const chunk of stream) {
      if (read === "") {
        // It stands still by itself, far from the end: nothing more comes for a while.
        await until(stream, 262_145);
        await new Promise<void>((resolve) => {
          let timer = setTimeout(resolve, 300);
          stream.on("text", () => {
            clearTimeout(timer);
            timer = setTimeout(resolve, 300);
          });
        });
        expect(stream.offset).toBeLessThan(480_000);
      }
      read += chunk.text;
    }
    expect(read).toBe(text);
    expect(stream.result?.verified).toBe(true);
  });

  test("a server that was restarted: unknown_stream, or once more", async () => {
    const first = await startServer();
    const client = connect(first.url);
    const given = client.start({ text: TEXT, rate: 100 });
    const again = client.start({ text: TEXT, rate: 2000 }, { restart: true });
    again.pause();
    await until(given, 5);
    await first.stop("SIGKILL");
    const second = await startServer(first.port);
    await expect(given.done).rejects.toMatchObject({ code: "unknown_stream" });
    again.continue();
    expect(await again.done).toMatchObject({ reason: "completed", verified: true });
    client.close();
    await second.stop();
  });

  test.each(TRANSPORTS)(
    "refused over %s for a while, it says so and goes on",
    async (transport) => {
      const strict = await startServer(0, "--connections-per-address", "1");
      onTestFinished(() => strict.stop());
      const options = { transports: [transport] };
      const client = connect(strict.url, options);
      const stream = client.start({ text: TEXT, rate: 600 });
      await until(stream, 100);
      client.dropConnection(600_000);
      const other = connect(strict.url, options); // takes the only place, as soon as it is free
      await comes(other, ({ state }) => state === "connected");
      client.retryNow();
      const { error } = await comes(client, ({ error }) => error?.code !== "unreachable", false);
      expect(error).toMatchObject({ code: "rate_limited", retryable: true, scope: "address" });
      expect(error?.message).toContain("This address has 1 connection, as many as it may");
      const wait = (client.connection.nextTryAt ?? 0) - performance.now();
      expect(wait).toBeGreaterThan((error?.retryAfter ?? Infinity) * 1000 - 1000);
      other.close();
      await comes(client, ({ state }) => state === "connected");
      expect(await stream.done).toMatchObject({ offset: 1200, verified: true });
      expect(stream.text).toBe(TEXT);
    },
  );

  test("no server there", async () => {
    const gone = await startServer();
    await gone.stop();
    const client = connect(gone.url, { giveUpAfter: 200 });
    await expect(client.start("x").done).rejects.toMatchObject({
      code: "unreachable",
      retryable: true,
    });
    client.close();
  });
});
