import { hasExpired } from "./auth.js";
import {
  decodeAnswer,
  decodeChunk,
  decodeEnd,
  decodeError,
  decodeErrorEvent,
  decodeInfo,
  decodeKey,
  decodePosition,
  decodeWaiting,
} from "./decode.js";
import { Deadline, type DeadlineOptions } from "./deadline.js";
import { StreamError, unanswered } from "./errors.js";
import type {
  ClientEvents,
  Rate,
  StreamChunk,
  StreamEnd,
  StreamErrorEvent,
  StreamWaiting,
} from "./protocol.js";
import type { Reader } from "./reader.js";
import type { Wire } from "./wire.js";

export type Request = {
  [E in keyof ClientEvents]: { event: E; payload: Parameters<ClientEvents[E]>[0] };
}[keyof ClientEvents];
type OnOk = (answer: Record<string, unknown>) => void;
type OnError = (error: StreamError) => void;
type Early =
  | { event: "chunk"; data: StreamChunk }
  | { event: "end"; data: StreamEnd }
  | { event: "error"; data: StreamErrorEvent }
  | { event: "waiting"; data: StreamWaiting };

export interface LinkOptions extends DeadlineOptions {
  wire: Wire;
  /** The readers that are not over. */
  readers: () => readonly Reader[];
  /** A start was refused since the server goes down: it is to be tried later. */
  postpone: (reader: Reader) => void;
  /** New text has arrived. */
  fruitful: () => void;
  /** The token of the connection has expired. */
  expired: (error: StreamError) => void;
}

/**
 * A connection and the readers on it: requests and their answers, events and whose they are.
 *
 * It lives as long as its connection; what must survive that is in the readers.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #deadline: Deadline;
  readonly #waiting = new Set<OnError>(); // those who ask and are told when no answer can come
  #early: Early[] = [];
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#deadline = new Deadline(options);
  }

  /** Whether it was asked something, and nothing has ever come over it. */
  get mute(): boolean {
    return this.#deadline.mute;
  }

  /** Forget the answers that are due: the connection is gone. */
  close(): void {
    this.#closed = true;
    this.#deadline.close();
    for (const reject of this.#waiting) reject(unanswered());
    this.#waiting.clear();
  }

  /** Ask something. Rejects with the server's error, or when the connection is lost. */
  ask<T>(request: Request, decode: (answer: Record<string, unknown>) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#request(
        request,
        (answer) => {
          const decoded = decode(answer);
          this.#waiting.delete(reject);
          resolve(decoded);
        },
        (error) => {
          this.#waiting.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** Start the reader's stream, or resume it at the unit that is due. */
  attach(reader: Reader): void {
    // Stopped first: what was sent and lost on the way is fetched after that, and not more.
    if (reader.stopping && reader.id !== undefined) this.stop(reader);
    if (reader.over) return;
    const request = reader.attachRequest();
    const { rate } = reader;
    reader.attachBegins();
    this.#request(
      request,
      (answer) => {
        const first = reader.id === undefined;
        const changed = reader.rate !== rate;
        const position = decodePosition(answer.position);
        reader.attachDone(decodeInfo(answer.stream), decodeKey(answer.key), position);
        if (changed) this.#catchUpRate(reader, rate);
        if (first) this.#deliverEarly();
        // It was left meanwhile, and not read anew: the server has one reader for the two.
        const { id } = reader;
        if (reader.over && !reader.stopping && !this.#options.readers().some((r) => r.id === id))
          this.leave(reader);
        if (first && reader.stopping) this.stop(reader);
        this.seek(reader);
        this.adjust(reader);
      },
      (error) => {
        if (error.code === "shutting_down" && request.event === "start_stream") {
          reader.attachPostponed();
          if (!reader.over) this.#options.postpone(reader);
          return;
        }
        if (error.code === "unavailable" && request.event === "resume_stream") {
          reader.attachUnserved();
          this.#options.postpone(reader); // Nothing is lost by that.
          return;
        }
        reader.attachRefused(error);
        if (!reader.over) this.attach(reader);
      },
    );
  }

  /** Stop the reader's stream for everyone, once it is known by an id. */
  stop(reader: Reader): void {
    if (reader.id === undefined) return; // The answer to its start comes back here.
    this.#request(
      { event: "stop_stream", payload: reader.shown(reader.id) },
      () => undefined, // The server's own end follows.
      (error) => {
        if (error.code === "unknown_stream") reader.stoppedUnseen();
        else if (error.code === "forbidden") reader.stopForbidden(error);
        else reader.fail(error);
      },
    );
  }

  /** Read the reader's stream no longer. */
  leave(reader: Reader): void {
    if (reader.id === undefined || !reader.attached) return;
    const ignore = (): void => undefined; // It may have ended meanwhile; nobody waits for it here.
    this.#request({ event: "leave_stream", payload: { id: reader.id } }, ignore, ignore);
  }

  /** Pause or continue the reader on the server, as it is wanted by now. */
  adjust(reader: Reader): void {
    const wanted = reader.wantsPause();
    if (!reader.attached || reader.id === undefined || reader.stopping || reader.over) return;
    // One request at a time: a server with a thread per event may swap two of them.
    if (reader.adjusting || wanted === reader.serverPaused) return;
    reader.adjusting = true;
    this.#request(
      { event: wanted ? "pause_stream" : "continue_stream", payload: { id: reader.id } },
      () => {
        reader.adjusting = false;
        reader.serverPaused = wanted;
        this.adjust(reader);
      },
      () => {
        // Refused means that the reader has ended on the server; its end is on its way.
        reader.adjusting = false;
      },
    );
  }

  /** Change the reader's pace. */
  setRate(reader: Reader, rate: Rate, onOk: () => void, onError: OnError): void {
    if (reader.id === undefined) return;
    this.#request({ event: "set_rate", payload: { id: reader.id, rate } }, onOk, onError);
  }

  /** Ask for the pace that was changed while the answer to a start or a resume was due. */
  #catchUpRate(reader: Reader, before: Rate | undefined): void {
    const { rate } = reader;
    if (rate === undefined || reader.stopping || reader.over) return;
    const done = (): void => undefined;
    this.setRate(reader, rate, done, () => {
      reader.rateRefused(rate, before);
    });
  }

  /** Carry out the reader's seek, if there is one. */
  seek(reader: Reader): void {
    const { seek, id } = reader;
    if (!seek || seek.sent || !reader.attached || id === undefined) return;
    seek.sent = true;
    this.#request(
      { event: "resume_stream", payload: reader.resumeAt(id, seek.offset) },
      (answer) => {
        this.#again(reader.sought(decodeInfo(answer.stream).offset));
        this.adjust(reader);
      },
      (error) => {
        this.#again(reader.notSought(error));
      },
    );
  }

  /** Take an event. Throws `protocol_error` when it is not as the protocol has it. */
  receive(event: string, data: unknown): void {
    this.#deadline.heard();
    if (event === "stream_chunk") this.#deliver({ event: "chunk", data: decodeChunk(data) });
    else if (event === "stream_end") this.#deliver({ event: "end", data: decodeEnd(data) });
    else if (event === "stream_waiting")
      this.#deliver({ event: "waiting", data: decodeWaiting(data) });
    else if (event === "stream_error") {
      const error = decodeErrorEvent(data);
      // One without an id is about a start or a resume that failed: its answer says the same. Or the
      // token of the connection has expired.
      if (error.id !== undefined) this.#deliver({ event: "error", data: error });
      else if (hasExpired(error)) this.#options.expired(decodeError(data));
    }
  }

  #deliver(early: Early): void {
    const readers = this.#options.readers();
    const reader = readers.find(({ id }) => id === early.data.id);
    if (!reader) {
      // The text may overtake the answer that says whose it is.
      if (readers.some(({ id }) => id === undefined)) this.#early.push(early);
      return;
    }
    let resume;
    if (early.event === "chunk") resume = reader.chunk(early.data);
    else if (early.event === "end") resume = reader.end(early.data);
    else if (early.event === "waiting") reader.waiting(early.data.position);
    else resume = reader.failing(decodeError(early.data));
    if (resume) this.attach(reader);
    else if (early.event === "chunk") {
      this.#options.fruitful();
      this.adjust(reader);
    }
  }

  #deliverEarly(): void {
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.#deliver(event);
  }

  #again(held: (StreamChunk | StreamEnd)[]): void {
    for (const data of held)
      this.#deliver("reason" in data ? { event: "end", data } : { event: "chunk", data });
  }

  #request({ event, payload }: Request, onOk: OnOk, onError: OnError): void {
    this.#deadline.asked(payload);
    this.#options.wire.send(event, payload, (answer) => {
      if (this.#closed) return;
      this.#deadline.answered();
      try {
        onOk(decodeAnswer(answer));
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        // One more way to lose a connection: what was asked is asked again on the next.
        if (hasExpired(error)) this.#options.expired(error);
        else onError(error);
      }
    });
  }
}
