import type { AuthFields, Credentials } from "./auth.js";
import { delayBefore, type Backoff } from "./backoff.js";
import type { Clock } from "./clock.js";
import { decodeDraining, decodeError } from "./decode.js";
import { originRefused, StreamError, unreachable } from "./errors.js";
import type { Probe } from "./probe.js";
import { UNCONNECTED, type ConnectionSnapshot } from "./connection-state.js";
import type { Wire, WireFactory, WireHandlers, WireOptions } from "./wire.js";

export interface ConnectionOptions extends Omit<WireOptions, "auth"> {
  url: string;
  /** Milliseconds for a handshake, and for what the probe asks. */
  timeout: number;
  backoff: Backoff;
  clock: Clock;
  random: () => number;
  factory: WireFactory;
  credentials: Credentials;
  probe: Probe;
}

export interface ConnectionHandlers {
  /** There is a connection, over `wire`. Called before `changed` tells of it. */
  up(wire: Wire): void;
  /** It is gone. Called before `changed` tells of it. */
  down(): void;
  /** A try has failed. `final`: more of them will, until somebody changes something. */
  failed(error: StreamError, final: boolean): void;
  event(name: string, data: unknown): void;
  /** Whether the connection that is open was asked something, and nothing has come over it. */
  mute(): boolean;
  changed(): void;
}

/** Keeps a connection: opens it, and opens it again whenever it is lost, until it is closed. */
export class Connection {
  snapshot: ConnectionSnapshot = UNCONNECTED;
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  #wire: Wire | undefined;
  #asking = false; // for what to show
  #resting = false; // nothing is tried by itself
  #generation = 0; // of the wire; what an earlier one reports is not heard
  #cancel: () => void = () => undefined; // the timer: of the next try, or of the handshake
  #ever = false;
  #openedAt: number | undefined;
  #lostAt: number;
  #fruitful = false;
  #silent = 0; // handshakes that nobody answered

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#lostAt = options.clock.now();
  }

  /** Since when there has been no sign of life, in ms of the clock. */
  get lostAt(): number {
    return this.#lostAt;
  }

  get open(): boolean {
    return this.#openedAt !== undefined;
  }

  /** Try to connect now, unless it is connected, or being tried. */
  tryNow(): void {
    if (this.#wire || this.#asking || this.snapshot.state === "closed") return;
    this.#cancel();
    this.#resting = false;
    const generation = (this.#generation += 1);
    const { credentials } = this.#options;
    this.#change({ attempts: this.snapshot.attempts + 1, nextTryAt: undefined });
    if (credentials.fixed) {
      this.#connect(credentials.fixed, generation);
      return;
    }
    this.#asking = true;
    void credentials.ask().then(
      (auth) => {
        this.#asking = false;
        if (generation === this.#generation) this.#connect(auth, generation);
      },
      (error: unknown) => {
        this.#asking = false;
        if (generation !== this.#generation || !(error instanceof StreamError)) return;
        this.#away(0);
        this.#failed(error, !error.retryable);
      },
    );
  }

  #connect(auth: AuthFields, generation: number): void {
    const { clock, factory, url, timeout } = this.#options;
    this.#wire = factory(
      url,
      { ...this.#options, auth, transports: this.#transports() },
      this.#listen(generation),
    );
    this.#cancel = clock.after(timeout, () => {
      this.#silent += 1;
      this.#lost("no answer in time");
    });
  }

  /** Something is wanted: try once more, where nothing is tried by itself any more. */
  wanted(): void {
    if (this.#resting) this.tryNow();
  }

  /** Text has arrived: the connection is good, and the next loss is a new one. */
  fruitful(): void {
    this.#fruitful = true;
  }

  /** Its token has expired: make it anew, with another. */
  expired(error: StreamError): void {
    if (!this.#wire) return;
    this.#away(0);
    this.#failed(error, false);
  }

  /** Break the connection off, as a network would, and stay away for `stayAway` ms. */
  drop(reason: string, stayAway = 0): void {
    if (this.#wire) this.#lost(reason, stayAway);
  }

  /** The page goes away: what connects it is not left behind on the server. */
  farewell(): void {
    this.#wire?.farewell();
  }

  close(): void {
    if (this.snapshot.state === "closed") return;
    this.#cancel();
    this.#generation += 1;
    this.#wire?.close();
    this.#wire = this.#openedAt = undefined;
    this.#change({ state: "closed", transport: undefined, nextTryAt: undefined, error: undefined });
  }

  /** A proxy may swallow WebSockets without a word: then another transport comes first. */
  #transports(): WireOptions["transports"] {
    const { transports } = this.#options;
    const first = this.#silent % transports.length;
    return [...transports.slice(first), ...transports.slice(0, first)];
  }

  #listen(generation: number): WireHandlers {
    const current = (handle: () => void): void => {
      if (generation === this.#generation) handle();
    };
    return {
      opened: () => {
        current(() => {
          this.#opened();
        });
      },
      lost: (reason) => {
        current(() => {
          this.#lost(reason);
        });
      },
      refused: (data, message) => {
        current(() => {
          this.#refused(data, message);
        });
      },
      transport: (name) => {
        current(() => {
          if (this.open) this.#change({ transport: name });
          else this.#set({ transport: name }); // It is told with the connection.
        });
      },
      event: (name, data) => {
        current(() => {
          this.#event(name, data);
        });
      },
    };
  }

  #opened(): void {
    this.#cancel();
    this.#ever = true;
    this.#fruitful = false;
    this.#options.credentials.accepted();
    this.#openedAt = this.#options.clock.now();
    const state = this.snapshot.retryAfter === undefined ? "connected" : "draining";
    this.#set({ state, error: undefined });
    // First: who is told that it is connected may use it.
    if (this.#wire) this.#handlers.up(this.#wire);
    this.#handlers.changed();
  }

  #event(name: string, data: unknown): void {
    try {
      if (name === "server_draining") this.#draining(decodeDraining(data).retry_after);
      this.#handlers.event(name, data);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#handlers.failed(error, true);
    }
  }

  #draining(retryAfter: number): void {
    // What a server that goes down says at once is handed over before its connection is open: it is
    // told with the connection.
    if (this.open) this.#change({ state: "draining", retryAfter });
    else this.#set({ retryAfter });
  }

  #lost(reason: string, stayAway = 0): void {
    this.#away(stayAway);
    void this.#explain(reason);
  }

  /** The server has spoken against this client: what it said is the reason. */
  #refused(data: unknown, message: string): void {
    const { backoff, random, credentials } = this.#options;
    const said = decodeError(data);
    const error = said.code === "protocol_error" ? new StreamError("forbidden", message) : said;
    const { retryAfter } = error;
    // Those that were refused together are told the same, and do not come back together.
    const spread = random() * backoff.maximum;
    const final = credentials.isFinal(error);
    // Asked again and again, a server that wants another token would count wrong ones.
    const asked = said.code === "unauthorized" || said.code === "forbidden";
    const waits = final && asked ? Infinity : 0;
    this.#away(retryAfter === undefined ? waits : retryAfter * 1000 + spread);
    this.#failed(error, final);
  }

  #away(stayAway: number): void {
    const wasOpen = this.#take();
    this.#schedule(stayAway);
    // First: who is told that it is lost finds no connection.
    if (wasOpen) this.#handlers.down();
    this.#handlers.changed();
  }

  /** Let go of the wire; returns whether it was open. */
  #take(): boolean {
    const { clock, backoff } = this.#options;
    const wasOpen = this.#openedAt !== undefined;
    const alive = wasOpen && !this.#handlers.mute();
    const lasted = wasOpen ? clock.now() - (this.#openedAt ?? 0) : 0;
    this.#cancel();
    this.#generation += 1;
    this.#wire?.cut();
    this.#wire = this.#openedAt = undefined;
    if (alive && (this.#fruitful || lasted > backoff.maximum))
      this.snapshot = { ...this.snapshot, attempts: 0 };
    // A connection that brings nothing and breaks at once, or is never answered, is no sign of life.
    if (alive && this.snapshot.attempts <= 1) this.#lostAt = clock.now();
    return wasOpen;
  }

  #schedule(stayAway: number): void {
    const { clock, backoff, random } = this.#options;
    // The try that was lost counts: `attempts` is 0 only behind a connection that was good.
    const delay = Math.max(stayAway, delayBefore(this.snapshot.attempts, backoff, random));
    const isTried = Number.isFinite(delay);
    this.#resting = !isTried;
    if (isTried)
      this.#cancel = clock.after(delay, () => {
        this.tryNow();
      });
    this.#set({
      state: this.#ever ? "reconnecting" : "connecting",
      transport: undefined,
      retryAfter: undefined,
      nextTryAt: isTried ? clock.now() + delay : undefined,
    });
  }

  async #explain(reason: string): Promise<void> {
    const { url, probe, timeout } = this.#options;
    const generation = this.#generation;
    // A server that took this page once has not come to refuse it; it is down.
    const finding = this.#ever ? undefined : await probe(url, timeout).catch(() => undefined);
    if (generation !== this.#generation && this.open) return; // Connected meanwhile.
    if (finding === "refusing") this.#failed(originRefused(url, location.origin), true);
    else if (finding === "present")
      this.#failed(
        unreachable(url, "something answers there, but not as a Socket.IO server"),
        false,
      );
    else this.#failed(unreachable(url, reason), false);
  }

  #failed(error: StreamError, final: boolean): void {
    if (this.snapshot.state === "closed") return;
    this.#change({ error });
    this.#handlers.failed(error, final);
  }

  #change(change: Partial<ConnectionSnapshot>): void {
    this.#set(change);
    this.#handlers.changed();
  }

  /** Change the snapshot, and tell nobody yet. */
  #set(change: Partial<ConnectionSnapshot>): void {
    this.snapshot = { ...this.snapshot, ...change };
  }
}
