import { createHash } from "node:crypto";
import { StreamClient, type ClientOptions, type TextStream } from "../../src/client/index.js";
import type { EndReason, ServerEvents, StreamEnd, WireError } from "../../src/client/protocol.js";
import type { Wire, WireFactory, WireHandlers, WireOptions } from "../../src/client/wire.js";
import { ManualClock, settle } from "./clock.js";

type Payload = Record<string, unknown>;
type EventName = Exclude<keyof ServerEvents, "new_char">;

/** What a server says of a stream that is asked for. */
export const DESCRIBED = {
  id: "s9",
  source: "llm",
  unit: "char",
  state: "producing",
  first: 0,
  next: 12,
  furthest: 9,
  readers: 3,
  reason: null,
};

/** A request that the server got, and how to answer it. */
export interface Request {
  event: string;
  payload: Payload;
  wire: FakeWire;
  answer: (answer: unknown) => void;
}

/** One connection, seen from the server. */
export class FakeWire implements Wire {
  readonly #handlers: WireHandlers;
  readonly #server: FakeServer;
  readonly options: WireOptions;
  over = false;

  constructor(server: FakeServer, options: WireOptions, handlers: WireHandlers) {
    this.#server = server;
    this.options = options;
    this.#handlers = handlers;
  }

  send(event: string, payload: object, answered: (answer: unknown) => void): void {
    // As on a wire: what arrives is a copy.
    const request = {
      event,
      payload: JSON.parse(JSON.stringify(payload)) as Payload,
      wire: this,
      answer: (answer: unknown) => {
        if (!this.over) answered(answer);
      },
    };
    if (!this.over) this.#server.receive(request);
  }

  cut(): void {
    this.over = true;
  }

  close(): void {
    this.over = true;
  }

  farewell(): void {
    this.#server.farewells += 1;
  }

  open(transport = "websocket"): void {
    this.#handlers.transport(transport);
    this.#handlers.opened();
  }

  lose(reason = "transport close"): void {
    this.over = true;
    this.#handlers.lost(reason);
  }

  refuse(data: unknown): void {
    this.over = true;
    this.#handlers.refused(data, "refused");
  }

  emit<E extends EventName>(event: E, data: Parameters<ServerEvents[E]>[0]): void {
    if (!this.over) this.#handlers.event(event, data);
  }

  /** Anything, also what the protocol does not have. */
  emitRaw(event: string, data: unknown): void {
    this.#handlers.event(event, data);
  }
}

/** The stream of a fake server: its units, and where it was sealed. */
export class FakeStream {
  readonly id: string;
  readonly units: string[];
  reason: EndReason | undefined;

  constructor(id: string, units: string[]) {
    this.id = id;
    this.units = units;
  }

  end(reason: EndReason = "completed", length = this.units.length): StreamEnd {
    return {
      id: this.id,
      reason,
      offset: length,
      text_sha256: createHash("sha256").update(this.units.slice(0, length).join("")).digest("hex"),
    };
  }
}

export const UNITS: string[] = "abcdefghijklmnopqrstuvwxyz".match(/./g) ?? [];

export function refusal(code: string, more: Partial<WireError> = {}): object {
  return { ok: false, error: { code, message: `refused: ${code}`, retryable: false, ...more } };
}

/**
 * A server in memory, to be scripted.
 *
 * It accepts connections and answers requests by itself as the protocol has it, and sends no text:
 * the test does, with `send`. `accepting`, `answering` and `script` change what it does.
 */
export class FakeServer {
  readonly wires: FakeWire[] = [];
  readonly requests: Request[] = [];
  readonly streams = new Map<string, FakeStream>();
  /** The text of the streams that will be started. */
  units = UNITS;
  accepting: boolean | "silent" = true;
  /** The error object with which it refuses connections, if it does. */
  refusing: WireError | undefined;
  answering = true;
  /** How often a page that went away has said so. */
  farewells = 0;
  /** Answers instead, unless it returns undefined. */
  script: (request: Request) => unknown = () => undefined;
  readonly #byRequest = new Map<unknown, string>();
  #started = 0;

  readonly factory: WireFactory = (_url, options, handlers) => {
    const wire = new FakeWire(this, options, handlers);
    this.wires.push(wire);
    const { accepting, refusing } = this;
    queueMicrotask(() => {
      if (refusing) wire.refuse(refusing);
      else if (accepting === true) wire.open();
      else if (!accepting) wire.lose("connection refused");
    });
    return wire;
  };

  /** The latest connection. */
  get wire(): FakeWire {
    return at(this.wires, -1);
  }

  /** The one stream there is, or the latest. */
  get stream(): FakeStream {
    return at([...this.streams.values()], -1);
  }

  /** The names of the events that it got, and one of their fields. */
  seen(field?: string): unknown[] {
    return this.requests.map(({ event, payload }) => (field ? [event, payload[field]] : event));
  }

  /** Send the units `from … to-1` of the latest stream over the latest connection. */
  send(from: number, to: number, stream = this.stream): void {
    const text = stream.units.slice(from, to).join("");
    this.wire.emit("stream_chunk", { id: stream.id, offset: from, next: to, text });
  }

  end(reason?: EndReason, length?: number, stream = this.stream): void {
    this.wire.emit("stream_end", stream.end(reason, length));
  }

  receive(request: Request): void {
    this.requests.push(request);
    if (!this.answering) return;
    const answer = this.script(request) ?? this.#answer(request);
    queueMicrotask(() => {
      request.answer(answer);
    });
  }

  #answer({ event, payload }: Request): unknown {
    const started = this.#byRequest.get(payload.request_id);
    const id =
      event === "start_stream" ? (started ?? `s${(this.#started += 1)}`) : String(payload.id);
    if (event === "start_stream") {
      this.#byRequest.set(payload.request_id, id);
      this.streams.set(id, this.streams.get(id) ?? new FakeStream(id, this.units));
    }
    if (!this.streams.has(id)) return refusal("unknown_stream");
    const { rate = 30, offset = 0 } = payload;
    if (event === "share_stream") return { ok: true, grant: `grant of ${id}`, expires: 60 };
    if (event === "set_rate") return { ok: true, rate };
    if (!event.startsWith("start") && !event.startsWith("resume")) return { ok: true, offset: 0 };
    const stream = { id, source: "text", unit: "char", rate, format: "chunk", offset };
    return { ok: true, stream, ...(event === "start_stream" && { key: `key of ${id}` }) };
  }
}

/** A client of a fake server, with a clock that stands still and no chance in its waits. */
export async function fakeClient(
  server: FakeServer,
  options: ClientOptions = {},
): Promise<{ client: StreamClient; clock: ManualClock }> {
  const clock = new ManualClock();
  const client = new StreamClient("http://127.0.0.1:5002", {
    wire: server.factory,
    clock,
    random: () => 1,
    probe: () => Promise.resolve(undefined),
    storage: null,
    ...options,
  });
  await settle();
  return { client, clock };
}

export interface Streaming {
  server: FakeServer;
  client: StreamClient;
  clock: ManualClock;
  stream: TextStream;
  /** Lose the connection, and wait for the next. */
  reconnect: () => Promise<void>;
}

/** A client of a fake server, with a stream that has begun. */
export async function streaming(): Promise<Streaming> {
  const server = new FakeServer();
  const { client, clock } = await fakeClient(server);
  const stream = client.start({ text: "x", rate: 10 });
  await settle();
  const reconnect = async (): Promise<void> => {
    server.wire.lose();
    await clock.advance(10_000);
  };
  return { server, client, clock, stream, reconnect };
}

export function at<T>(values: readonly T[], index: number): T {
  const value = values.at(index);
  if (value === undefined) throw new Error(`there is no number ${index}`);
  return value;
}
