import type { ConnectionSnapshot, ConnectionState } from "./connection-state.js";
import type { Auth } from "./auth.js";
import { randomId } from "./digest.js";
import { checkOffset, decodeDescription, decodeShared } from "./decode.js";
import { Emitter } from "./emitter.js";
import { StreamError } from "./errors.js";

import { serverUrl, sessionOptions, type ClientOptions } from "./options.js";
import type { Rate, Shared, StartStream, StreamDescription } from "./protocol.js";
import { defined, own } from "./fields.js";
import { followPage } from "./page.js";
import { Reader } from "./reader.js";
import { Recorder } from "./recorder.js";
import { Session } from "./session.js";
import { defaultStorage, StreamStore, type RememberedStream } from "./store.js";
import { TextStream } from "./stream.js";

/** What to start: as on the wire; but the library chooses the format. */
export type StartRequest = Omit<StartStream, "format">;

export interface StartOptions {
  /**
   * When the server has forgotten the stream (it was restarted), start it once more, from nothing:
   * `reset` is emitted, and a loop sees chunks from 0 on again. Default: false, and the stream fails
   * with `unknown_stream`, since another run of a model gives another text, and costs.
   */
  restart?: boolean;
  /** What you keep of it in the storage, as `remembered[…].data`: anything that JSON has. */
  data?: unknown;
}

export interface ResumeOptions {
  /** Where to begin, in units. Default: 0. */
  offset?: number;
  /** Default: the stream's own. */
  rate?: Rate;
  /** The stream's (`TextStream.key`): with it you own the stream, and may stop it. */
  key?: string | undefined;
  /** From its owner (`share`): with it you may read the stream, and no more. */
  grant?: string | undefined;
  /** What you keep of it in the storage, unless there is something already. */
  data?: unknown;
}

export interface DescribeOptions {
  /** The stream's, or a grant of it, where its id alone does not open it. */
  key?: string | undefined;
  grant?: string | undefined;
}

/** What is shown, with the key by which the server knows this client again. */
function withKey(client_key: string, auth: Auth = {}): Auth {
  return typeof auth === "function"
    ? async () => ({ client_key, ...(await auth()) })
    : { client_key, ...auth };
}

/** How many streams that have ended `StreamClient.streams` has. */
const KEPT = 50;
/** How many the storage has, unless the options say otherwise. */
const REMEMBERED = 50;

export interface ClientEvents {
  /** The connection is in another state. With `connected`, it may be used at once. */
  state: ConnectionState;
}

/** A connection to a server, kept up, and the streams that are read over it. */
export class StreamClient {
  /** The server's address: origin and path prefix, without a slash at the end. */
  readonly url: string;
  /** What is remembered of the streams, of this page and of those before it. */
  readonly store: StreamStore;
  readonly #session: Session;
  readonly #recorder: Recorder;
  readonly #events = new Emitter<ClientEvents>();
  readonly #changes = new Emitter<{ change: undefined }>();
  readonly #streams = new Set<TextStream>();
  #told: ConnectionState = "connecting";
  #telling = false;
  readonly #unfollow: () => void;

  /**
   * Connects at once, and again whenever the connection is lost, until `close`.
   *
   * Throws `invalid_request` when `url` is none.
   */
  constructor(url: string, options: ClientOptions = {}) {
    this.url = serverUrl(url, options.path);
    const storage = options.storage === undefined ? defaultStorage() : options.storage;
    this.store = new StreamStore(storage ?? undefined, this.url, options.remember ?? REMEMBERED);
    this.#recorder = new Recorder(this.store);
    const auth = withKey(this.store.clientKey(), options.auth);
    this.#session = new Session(sessionOptions(this.url, { ...options, auth }), () => {
      this.#changed();
    });
    const { connection } = this.#session;
    this.#unfollow = followPage({
      online: () => {
        this.retryNow();
      },
      hidden: () => {
        connection.farewell();
      },
      // The connection has gone meanwhile, though nobody may have told the page.
      restored: () => {
        connection.drop("the page was put away");
        this.retryNow();
      },
      stored: (key) => {
        this.store.changedElsewhere(key);
      },
    });
    connection.tryNow();
  }

  get state(): ConnectionState {
    return this.connection.state;
  }

  /** State, transport, tries, the next try, and why there is no connection. */
  get connection(): ConnectionSnapshot {
    return this.#session.connection.snapshot;
  }

  /**
   * The streams that were read here and not forgotten by `forget`, oldest first. Of those that have
   * ended, the last 50.
   */
  get streams(): readonly TextStream[] {
    return [...this.#streams];
  }

  /** All that `store` has; those last that were read last. */
  get remembered(): readonly RememberedStream[] {
    return this.store.all();
  }

  /** Call `listener` at each event of this name, until the function that is returned is called. */
  on<K extends keyof ClientEvents>(
    event: K,
    listener: (value: ClientEvents[K]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /** Call `listener` whenever `connection` is another, until the function that is returned is. */
  subscribe(listener: () => void): () => void {
    return this.#changes.on("change", listener);
  }

  /**
   * Start a stream: a prompt (or, for the source `text`, the text), or a whole request.
   *
   * Returns it at once; it is sent as soon as there is a connection. A start whose answer was lost is
   * sent again with the same `request_id`, and is done once only.
   */
  start(
    request: string | StartRequest = {},
    { restart = false, data }: StartOptions = {},
  ): TextStream {
    const asked = typeof request === "string" ? { prompt: request } : request;
    const sent: StartStream = { request_id: randomId(), ...asked, format: "chunk" };
    return this.#open((observer) => new Reader({ request: sent, restart }, observer), data);
  }

  /**
   * Read a stream that was started before, here or elsewhere, from `offset` (in units) on.
   *
   * One that is being read here already is returned as it is: `seek` in it.
   */
  resume(id: string, { offset = 0, rate, key, grant, data }: ResumeOptions = {}): TextStream {
    const reading = this.#reading(id);
    if (reading) return reading;
    const from = {
      id,
      offset: checkOffset(offset),
      ...(rate === undefined ? {} : { rate }),
      ...(key === undefined ? {} : { key }),
      ...(grant === undefined ? {} : { grant }),
    };
    return this.#open((observer) => new Reader(from, observer), data);
  }

  /**
   * Read a stream once more from its start, at `rate` (default: its own).
   *
   * Throws `invalid_request` while it is being read here: a connection reads a stream once.
   */
  replay(id: string, { rate }: { rate?: Rate } = {}): TextStream {
    if (this.#reading(id))
      throw new StreamError("invalid_request", "This stream is being read: use seek(0) in it.");
    return this.resume(id, rate === undefined ? {} : { rate });
  }

  /**
   * How a stream is now: which units can be read, and how many readers it has.
   *
   * It need not be read here. To watch it from now on, `resume` at `furthest`. That one has ended is
   * remembered. Rejects with `unknown_stream`, and with `unreachable` without a connection.
   */
  async describe(id: string, options: DescribeOptions = {}): Promise<StreamDescription> {
    const payload = { id, ...defined(options) };
    const described = await this.#session.ask({ event: "describe_stream", payload }, ({ stream }) =>
      decodeDescription(stream),
    );
    this.#recorder.learn(described);
    return described;
  }

  /**
   * Let others read a stream of yours: whoever has the grant, for `expires` seconds (a day by default, seven
   * at most), and no more. From then on its id alone opens it to nobody.
   *
   * Rejects with `forbidden` where it is somebody else's, and with `unreachable` without a connection.
   */
  share(stream: TextStream | string, { expires }: { expires?: number } = {}): Promise<Shared> {
    const payload = { ...own(stream), ...defined({ expires }) };
    return this.#session.ask({ event: "share_stream", payload }, decodeShared);
  }

  /** End all grants of a stream of yours; whoever has read it with one is told `forbidden`. */
  async unshare(stream: TextStream | string): Promise<void> {
    await this.#session.ask({ event: "unshare_stream", payload: own(stream) }, () => undefined);
  }

  /** Bring back, after a reload, the streams of the storage that had not ended. */
  restore(): TextStream[] {
    return this.remembered
      .filter(({ reason, failure }) => reason === undefined && failure !== "gone")
      .filter(({ id }) => !this.#reading(id))
      .map(({ id, rate }) => this.resume(id, { rate }));
  }

  /** Remove a stream from `streams`; `leave` it if it is being read. The storage remembers it. */
  release(stream: TextStream): void {
    stream.leave();
    this.#streams.delete(stream);
    this.#changed();
  }

  /**
   * Remove a stream from `streams` and from the storage; `leave` it if it is being read.
   *
   * Of a `TextStream` no other that reads the same text is touched, and the storage remembers the id
   * as long as there is one. An id stands for all of them.
   */
  forget(stream: TextStream | string): void {
    for (const known of this.streams)
      if (known === stream || known.id === stream) this.release(known);
    const id = typeof stream === "string" ? stream : stream.id;
    const others = this.streams.some((known) => known.id === id);
    if (id !== undefined && !others) this.store.remove(id);
  }

  /** Break the connection off, to show what happens, and stay away for `stayAway` ms. */
  dropConnection(stayAway = 0): void {
    this.#session.connection.drop("you dropped it", stayAway);
  }

  /** Try to connect now, without waiting for the next try. */
  retryNow(): void {
    this.#session.connection.tryNow();
  }

  /** Disconnect, for good. Streams that run fail with `closed` here; on the server they go on. */
  close(): void {
    this.#unfollow();
    this.#session.close();
  }

  #reading(id: string): TextStream | undefined {
    return this.streams.find((stream) => stream.id === id && !stream.result && !stream.error);
  }

  #open(reader: ConstructorParameters<typeof TextStream>[1], data: unknown): TextStream {
    const stream = new TextStream(this.#session, reader);
    this.#streams.add(stream);
    // So that a page that stays open for weeks does not keep all that it ever read.
    const ended = this.streams.filter(({ result, error }) => result ?? error);
    for (const old of ended.slice(0, -KEPT)) this.#streams.delete(old);
    this.#recorder.follow(stream, data);
    this.#changed();
    return stream;
  }

  #changed(): void {
    // A listener did it, such as by `close()`: the others hear of both, in their order.
    if (this.#telling) return;
    this.#telling = true;
    while (this.#told !== this.state) this.#events.emit("state", (this.#told = this.state));
    this.#telling = false;
    this.#changes.emit("change", undefined);
  }
}
