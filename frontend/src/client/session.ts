import type { Clock } from "./clock.js";
import { Connection, type ConnectionOptions } from "./connection.js";
import { closed, StreamError, unanswered } from "./errors.js";
import { Link, type Request } from "./link.js";
import type { Reader } from "./reader.js";
import type { Wire } from "./wire.js";

/** Milliseconds between two tries of a start that a draining server has refused. */
const POSTPONED = 1000;

export interface SessionOptions extends ConnectionOptions {
  /** Milliseconds without a connection after which streams fail. */
  giveUpAfter: number;
}

/** The streams that a client reads, and the connection that they come over. */
export class Session {
  readonly connection: Connection;
  link: Link | undefined;
  readonly clock: Clock;
  readonly #options: SessionOptions;
  readonly #since = new Map<Reader, number>(); // the readers that are not over, and since when
  #patience: () => void = () => undefined;

  constructor(options: SessionOptions, onChange: () => void) {
    this.#options = options;
    this.clock = options.clock;
    this.connection = new Connection(options, {
      up: (wire) => {
        this.#up(wire);
      },
      down: () => {
        this.#down();
      },
      failed: (error, final) => {
        this.#failed(error, final);
      },
      event: (name, data) => {
        this.link?.receive(name, data);
      },
      mute: () => this.link?.mute ?? false,
      changed: onChange,
    });
  }

  /** Those that are not over. */
  get readers(): readonly Reader[] {
    for (const reader of this.#since.keys()) if (reader.over) this.#since.delete(reader);
    return [...this.#since.keys()];
  }

  /** Read one more stream. */
  add(reader: Reader): void {
    if (this.connection.snapshot.state === "closed") {
      reader.fail(closed("The client"));
      return;
    }
    this.#since.set(reader, this.clock.now());
    if (this.link) this.link.attach(reader);
    else {
      this.connection.wanted();
      this.#watch();
    }
  }

  /** Stop the reader's stream on the server, now or as soon as that is possible. */
  stop(reader: Reader): void {
    if (reader.stopping || reader.over) return;
    reader.stopping = true;
    if (reader.id === undefined && !reader.asked) reader.stoppedUnseen();
    else this.link?.stop(reader);
  }

  /** Ask something, over the connection that there is. */
  ask<T>(request: Request, decode: (answer: Record<string, unknown>) => T): Promise<T> {
    return this.link?.ask(request, decode) ?? Promise.reject(unanswered());
  }

  /** Stop reading; the stream goes on for its other readers. */
  leave(reader: Reader): void {
    if (reader.over) return;
    this.link?.leave(reader);
    reader.fail(closed("The stream"));
  }

  close(): void {
    this.link?.close();
    this.link = undefined;
    this.#patience();
    this.connection.close();
    for (const reader of this.readers) reader.fail(closed("The client"));
  }

  #up(wire: Wire): void {
    const { clock, timeout } = this.#options;
    this.#patience();
    const link = new Link({
      wire,
      clock,
      timeout,
      polling: () => this.connection.snapshot.transport === "polling",
      readers: () => this.readers,
      overdue: () => {
        this.connection.drop("it gave no answer in time");
      },
      postpone: (reader) => {
        clock.after(POSTPONED, () => {
          if (this.link === link && !reader.over && !reader.attaching && !reader.attached)
            link.attach(reader);
        });
      },
      fruitful: () => {
        this.connection.fruitful();
      },
      expired: (error) => {
        this.connection.expired(error);
      },
    });
    this.link = link;
    // Who hears of a reader that begins may break the connection off.
    for (const reader of this.readers) if (this.link === link) link.attach(reader);
  }

  #down(): void {
    this.link?.close();
    this.link = undefined;
    for (const reader of this.readers) reader.detached();
    this.#watch();
  }

  #failed(error: StreamError, final: boolean): void {
    if (final) for (const reader of this.readers) reader.fail(error);
    else this.#giveUp();
  }

  /** Look again when the first reader's patience ends; a try may last longer than that. */
  #watch(): void {
    this.#patience();
    const { clock, giveUpAfter } = this.#options;
    const { readers } = this;
    if (this.link || readers.length === 0 || !Number.isFinite(giveUpAfter)) return;
    const first = Math.min(...readers.map((reader) => this.#waitsSince(reader)));
    this.#patience = clock.after(Math.max(0, first + giveUpAfter - clock.now()), () => {
      this.#giveUp();
      this.#watch();
    });
  }

  #giveUp(): void {
    const { clock, giveUpAfter, url } = this.#options;
    for (const reader of this.readers)
      if (clock.now() - this.#waitsSince(reader) >= giveUpAfter)
        reader.fail(
          this.connection.snapshot.error ??
            new StreamError("unreachable", `No textstream server answers at ${url}.`, {
              retryable: true,
            }),
        );
  }

  #waitsSince(reader: Reader): number {
    return Math.max(this.connection.lostAt, this.#since.get(reader) ?? 0);
  }
}
