import { Assembler } from "./assembler.js";
import { Backlog } from "./backlog.js";
import { randomId } from "./digest.js";
import { forgotten, notUnderstood, StreamError } from "./errors.js";
import type {
  Rate,
  ResumeStream,
  StartStream,
  StreamChunk,
  StreamEnd,
  StreamInfo,
} from "./protocol.js";
import { AT_THE_END, conclusion, type Observer, type StreamResult } from "./result.js";
import type { Seek } from "./seek.js";

/** Resumes in a row that brought nothing new, after which the stream has failed. */
export const MAX_FUTILE_RESUMES = 5;

/** What is known of one stream on its way to this client. No I/O. */
export class Reader {
  id: string | undefined;
  request: StartStream | undefined;
  info: StreamInfo | undefined;
  /** Whoever shows it owns the stream; undefined: not known here. */
  key: string | undefined;
  readonly #grant: string | undefined;
  /** Its place in the line of its source, 1 is next; undefined while it does not wait for one. */
  position: number | undefined;
  /** Those who wait for it to be stopped: told why the server did not, it is somebody else's. */
  readonly stopRefused: ((error: StreamError) => void)[] = [];
  assembler: Assembler;
  /** The pace asked for last; undefined: the server's choice. */
  rate: Rate | undefined;
  /** Whether the user wants it to stand still. */
  paused = false;
  stopping = false;
  /** Whether a start or a resume was ever sent. */
  asked = false;
  /** Whether the connection that is open now reads it. */
  attached = false;
  /** Whether a start or a resume was sent and not answered yet. */
  attaching = false;
  serverPaused = false;
  /** Whether a pause, or its end, was sent and not answered yet. */
  adjusting = false;
  seek: Seek | undefined;
  /** How often it went on after a lost connection. */
  resumes = 0;
  readonly backlog = new Backlog();
  result: StreamResult | undefined;
  error: StreamError | undefined;
  /** Whether nothing more is taken from the server. */
  over = false;
  /** Whether result and error are final. */
  settled = false;
  readonly #observer: Observer;
  readonly #restart: boolean;
  #futile = 0;
  #cause: StreamError | undefined; // what the server said is wrong; the end follows
  #cutShort: StreamEnd | undefined; // an end whose last units are still being fetched

  constructor(
    what:
      | { request: StartStream; restart: boolean }
      | { id: string; offset: number; rate?: Rate; key?: string; grant?: string },
    observer: Observer,
  ) {
    this.#observer = observer;
    this.#restart = "restart" in what && what.restart;
    if ("request" in what) this.request = what.request;
    else ({ id: this.id, key: this.key, grant: this.#grant } = what);
    this.rate = "id" in what ? what.rate : what.request.rate;
    this.assembler = new Assembler("id" in what ? what.offset : 0);
  }

  /** What makes a new connection read this stream. */
  attachRequest():
    | { event: "start_stream"; payload: StartStream }
    | { event: "resume_stream"; payload: ResumeStream } {
    if (this.id === undefined)
      return { event: "start_stream", payload: { ...this.request, ...this.#pace() } };
    return { event: "resume_stream", payload: this.resumeAt(this.id, this.assembler.offset) };
  }

  resumeAt(id: string, offset: number): ResumeStream {
    // What is left of a text that was cut short is due at once.
    const pace = this.stopping || this.#cutShort ? { rate: 0 } : this.#pace();
    const granted = this.#grant === undefined ? {} : { grant: this.#grant };
    return { ...this.shown(id), ...granted, offset, format: "chunk", ...pace };
  }

  /** Which stream it is, and the key to it, where that is known. */
  shown(id: string): { id: string; key?: string } {
    return this.key === undefined ? { id } : { id, key: this.key };
  }

  /** An attach request is sent: the server's reader will be a new one. */
  attachBegins(): void {
    this.asked = this.attaching = true;
    this.serverPaused = this.adjusting = false;
    this.#observer.changed();
  }

  /** The server's answer to a start or a resume. */
  attachDone(info: StreamInfo, key?: string, position?: number): void {
    this.key = key ?? this.key;
    this.position = position;
    if (this.info && !this.attached) this.resumes += 1;
    // A start, whose first units were trimmed by now. A resume is at the unit that was asked for,
    // and its text may be here before its answer.
    const started = this.id === undefined;
    if (started && info.offset !== this.assembler.offset) this.beginAt(info.offset);
    this.id = info.id;
    this.info ??= info;
    this.rate ??= info.rate;
    this.attached = true;
    this.attaching = false;
    this.#observer.changed();
  }

  /** The server refused to let it go on. */
  attachRefused(error: StreamError): void {
    this.attaching = false;
    if (error.code !== "unknown_stream" || this.#cutShort || this.over) this.fail(error);
    else if (this.#restart && this.request) this.#startAnew(this.request);
    else this.fail(forgotten());
  }

  /** The server did not stop it: it is somebody else's, and goes on. */
  stopForbidden(error: StreamError): void {
    this.stopping = false;
    for (const tell of this.stopRefused.splice(0)) tell(error);
    this.#observer.changed();
  }

  /** The server takes no start now; another one will. This one knows nothing of it. */
  attachPostponed(): void {
    this.asked = this.attaching = false;
    if (this.stopping) this.stoppedUnseen();
  }

  /** The server cannot tell about the stream just now: it is asked again. */
  attachUnserved(): void {
    this.attaching = false;
  }

  /** The server does not allow the pace: it is the one of before, unless another is wanted by now. */
  rateRefused(refused: Rate, before: Rate | undefined): void {
    if (this.rate === refused) this.rate = before;
    this.#observer.changed();
  }

  /** The connection is lost. */
  detached(): void {
    this.attached = this.attaching = this.serverPaused = this.adjusting = false;
    this.position = undefined;
    this.seek?.interrupted();
    this.#observer.changed();
  }

  /** Take a chunk; whether the stream has to be resumed at the unit that is due. */
  chunk(chunk: StreamChunk): boolean {
    if (this.over || this.seek?.hold(chunk)) return false;
    const acceptance = this.assembler.accept(chunk);
    if (acceptance === "misfit") return this.#mustResume();
    if (acceptance === "new") {
      this.#futile = 0;
      this.position = undefined;
      const { offset, next, text } = chunk;
      this.#observer.chunk({ offset, next, text });
    }
    return false;
  }

  /** Take its place in the line; 0: its turn has come. */
  waiting(position: number): void {
    this.position = position === 0 ? undefined : position;
    this.#observer.changed();
  }

  /** Take the end; whether units before it are missing, so that it has to be resumed. */
  end(end: StreamEnd): boolean {
    if (this.over || this.seek?.hold(end)) return false;
    if (end.offset > this.assembler.offset) {
      if (AT_THE_END.includes(end.reason)) return this.#mustResume();
      if (this.attaching) return false; // The resume under way brings the rest, and an end.
      if (!this.#cutShort) {
        // Somebody stopped it while this reader was behind. The text up to there stays readable.
        this.#cutShort = end;
        return true;
      }
    }
    this.finish(end);
    return false;
  }

  /** The server's error about this stream; whether it has to be resumed. */
  failing(error: StreamError): boolean {
    if (this.over) return false;
    // Trimmed, or not to be read any more: no end follows.
    if (error.code === "offset_gone" || error.code === "forbidden") this.fail(error);
    // The server itself broke and let go of this reader: no end follows.
    else if (error.code === "internal_error") return this.#mustResume(error);
    else this.#cause = error;
    return false;
  }

  /** The server answered to a seek that the text goes on at `offset`. */
  sought(offset: number): (StreamChunk | StreamEnd)[] {
    const held = this.seek?.done() ?? [];
    this.seek = undefined;
    this.serverPaused = this.adjusting = false;
    this.beginAt(offset);
    // Before the first that fits is what was on its way for the old position.
    const first = held.findIndex((event) => event.offset === offset);
    return first < 0 ? [] : held.slice(first);
  }

  /** The server refused a seek: the text goes on where it was. */
  notSought(error: StreamError): (StreamChunk | StreamEnd)[] {
    const held = this.seek?.failed(error) ?? [];
    this.seek = undefined;
    return held;
  }

  /** Whether the server is to stand still: the user said so, or the consumer is behind. */
  wantsPause(): boolean {
    return this.backlog.isFull() || this.paused;
  }

  /** End it as stopped where no connection brings the server's own end. */
  stoppedUnseen(): void {
    if (this.over) return;
    this.#conclude({
      reason: "stopped",
      offset: this.assembler.offset,
      sha256: undefined,
      verified: undefined,
    });
  }

  /** End it as the server said, and check the text. */
  finish(end: StreamEnd): void {
    if (this.over) return;
    this.over = true;
    void conclusion(end, this.assembler, this.#cause).then(({ result, error }) => {
      this.error = error;
      this.#conclude(result);
    });
  }

  /** End it with `error`, unless it is over. */
  fail(error: StreamError): void {
    if (this.over) return;
    // It has ended already, as somebody wanted it; all that failed is to fetch what is left.
    if (this.#cutShort) {
      this.finish(this.#cutShort);
      return;
    }
    this.error = error;
    this.#conclude(undefined);
  }

  /** Text from `offset` on counts from now; what came before is dropped. */
  beginAt(offset: number): void {
    this.assembler = new Assembler(offset);
    this.#observer.reset(offset);
  }

  #pace(): { rate?: Rate } {
    return this.rate === undefined ? {} : { rate: this.rate };
  }

  #startAnew(request: StartStream): void {
    this.request = { ...request, request_id: randomId() };
    this.id = this.info = this.key = undefined;
    this.attached = false;
    this.#futile = 0;
    this.beginAt(0);
  }

  #mustResume(error?: StreamError): boolean {
    if (this.attaching) return false; // What was on its way before the resume may still arrive.
    this.#futile += 1;
    if (this.#futile <= MAX_FUTILE_RESUMES) return true;
    this.fail(error ?? notUnderstood(`other units than those from ${this.assembler.offset} on`));
    return false;
  }

  #conclude(result: StreamResult | undefined): void {
    if (this.settled) return;
    this.over = this.settled = true;
    this.position = undefined;
    this.result = result;
    this.seek?.failed(new StreamError("closed", "The stream has ended. Replay it to seek in it."));
    this.seek = undefined;
    this.#observer.settled();
  }
}
