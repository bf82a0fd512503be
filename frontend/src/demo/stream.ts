import { randomId } from "../client/digest";
import { now } from "./clock";
import type { Connection } from "./connection";
import { forget, recall, remember, type Remembered } from "./memory";
import type { Notice } from "./notice";
import type { Answer, Rate, StartStream, StreamEnd, StreamError, StreamInfo } from "./protocol";
import { Reading } from "./reading";
import type { Screen } from "./screen";
import { explain, lostBecause, missing } from "./words";

/** One stream at a time: start it, go on with it whatever happens, stop it, judge its end. */
export class Stream {
  readonly #connection: Connection;
  readonly #screen: Screen;
  readonly #notice: Notice;
  #wanted: Remembered | null = null; // asked for, not yet begun
  #reading: Reading | null = null;
  #last: StartStream | null = null; // what was asked for last
  #stopping = false; // stop as soon as there is a stream, and a connection to say it on

  constructor(connection: Connection, screen: Screen, notice: Notice) {
    this.#connection = connection;
    this.#screen = screen;
    this.#notice = notice;
    const { socket } = connection;
    socket.on("connect", () => {
      if (this.#reading) this.#resume(this.#reading);
      if (this.#wanted) this.#send(this.#wanted);
    });
    socket.on("disconnect", () => {
      if (this.#reading) screen.show("waiting", "Goes on when the connection is back.");
    });
    socket.on("server_draining", () => {
      if (this.#reading) this.#showStreaming();
    });
    socket.on("stream_start", (stream) => {
      this.#begin(stream);
    });
    socket.on("new_char", (char) => {
      this.#add(char);
    });
    socket.on("stream_end", (end) => {
      this.#end(end);
    });
    socket.on("stream_error", (error) => {
      this.#failed(error);
    });
  }

  /** Whether a text is on its way, or asked for. */
  get running(): boolean {
    return Boolean(this.#reading ?? this.#wanted);
  }

  start(request: StartStream): void {
    this.#notice.say("");
    // With an id of its own, a start that is sent again, after a lost connection or a reload, is
    // not done twice.
    this.#last = { ...request, request_id: randomId() };
    const rate = request.rate ?? "auto";
    this.#want({ request: this.#last, rate, asked: now(), resumes: 0 });
  }

  /** Start what was asked for last once more. */
  again(): void {
    if (this.#last) this.start(this.#last);
  }

  /** Take up what was there before a reload, if anything was; return it. */
  restore(): Remembered | null {
    const record = recall();
    if (!record) return null;
    this.#last = record.request;
    const { id } = record;
    if (id) {
      this.#show(new Reading(id, record));
      this.#screen.show("waiting", "Getting the text back…");
    } else {
      this.#want(record);
    }
    return record;
  }

  stop(): void {
    if (!this.#reading && !this.#wanted) return;
    this.#stopping = true;
    if (!this.#connection.socket.connected) {
      if (!this.#reading) {
        this.#notStarted("");
        return;
      }
      this.#wanted = null;
      remember(this.#reading.record);
      this.#screen.show("waiting", "Stops when the connection is back.");
    } else if (this.#reading && !this.#wanted) {
      this.#connection.socket.emit("stop_stream", { id: this.#reading.id }, this.#report);
    }
  }

  setRate(rate: Rate): void {
    if (this.#wanted) this.#keep(this.#wanted, { rate });
    if (!this.#reading || this.#reading.record.ended) return;
    this.#keep(this.#reading.record, { rate });
    const { id } = this.#reading;
    // Without a connection it goes with resume_stream.
    if (this.#connection.socket.connected) {
      this.#connection.socket.emit("set_rate", { id, rate }, this.#report);
    }
  }

  #want(record: Remembered): void {
    this.#wanted = record;
    this.#stopping = false;
    remember(record);
    const { connected } = this.#connection.socket;
    const what = connected ? "the first character" : "the server";
    this.#screen.show("waiting", `Waiting for ${what}…`);
    // Not left to the buffer of the client: that would also send what was stopped meanwhile.
    if (connected) this.#send(record);
  }

  #send(wanted: Remembered): void {
    this.#connection.socket.emit("start_stream", wanted.request, (answer) => {
      if (!answer.ok && this.#wanted === wanted) this.#notStarted(explain(answer.error), true);
    });
  }

  #begin({ id, offset }: StreamInfo): void {
    if (id === this.#reading?.id) return; // after a resume_stream: go on where we are
    const record = this.#wanted ?? { request: {}, rate: "auto", asked: now(), resumes: 0 };
    this.#wanted = null;
    this.#keep(record, { id });
    const reading = new Reading(id, record);
    this.#show(reading);
    this.#screen.show("waiting", "Waiting for the first character…");
    if (offset > 0) this.#skip(reading, offset); // started before a reload, and trimmed since
    if (record.request.rate !== record.rate) this.setRate(record.rate); // changed meanwhile
    if (this.#stopping) this.stop();
  }

  #show(reading: Reading): void {
    this.#reading = reading;
    this.#screen.clear();
    this.#screen.figures.begin(reading.record);
    this.#screen.figures.showResumes(reading.record.resumes);
  }

  #add(char: string): void {
    const reading = this.#reading;
    if (!reading) return;
    reading.next += 1;
    const { record } = reading;
    this.#screen.append(char, Boolean(record.ended));
    if (record.firstAt) return;
    this.#showStreaming();
    this.#keep(record, this.#screen.figures.times);
  }

  /** Go on at the next character, after a lost connection or a reload. */
  #resume(reading: Reading): void {
    const { id, next: offset, record } = reading;
    // What was complete before a reload is only shown once more.
    const rate = record.ended ? 0 : record.rate;
    this.#connection.socket.emit("resume_stream", { id, offset, rate }, (answer) => {
      if (this.#reading !== reading) return;
      if (!answer.ok) this.#notResumed(reading, answer.error);
      else this.#resumed(reading);
    });
  }

  #showStreaming(): void {
    const { draining } = this.#connection;
    const words = draining ? "Goes on for a moment, then the server ends it." : "Streaming";
    this.#screen.show("streaming", words);
  }

  #resumed({ record }: Reading): void {
    if (record.ended) return;
    this.#keep(record, { resumes: record.resumes + 1 });
    this.#screen.figures.showResumes(record.resumes);
    if (record.firstAt) this.#showStreaming();
    this.#connection.resumed();
    if (this.#stopping) this.stop();
  }

  #notResumed(reading: Reading, error: StreamError): void {
    const { first = 0 } = error;
    if (error.code === "offset_gone" && first > reading.next) {
      this.#skip(reading, first);
      this.#resume(reading);
      return;
    }
    this.#reading = null;
    this.#finish();
    forget();
    if (reading.next === 0) {
      this.#screen.show("idle", "");
      const words = "The text that was here is no longer on the server. Its prompt is in the form.";
      this.#notice.say(words, { tone: "calm", again: true });
      return;
    }
    const why = lostBecause(error, this.#connection.restarting);
    this.#connection.restarting = false;
    this.#screen.show("ended", "Incomplete.");
    this.#notice.say(`${why} What arrived stays here, the rest is lost.`, { again: true });
  }

  /** Go on at `first`: what lies before it was trimmed. */
  #skip(reading: Reading, first: number): void {
    const words = missing(reading.next, first);
    reading.skip(first);
    this.#screen.gap(`${words}.`);
    this.#notice.say(`${words}: the server keeps only the newest part of so long a text.`);
  }

  #failed(error: StreamError): void {
    // What has no id is said in the answer to a start or a resume as well.
    if (!error.id || error.id !== this.#reading?.id) return;
    if (error.code === "offset_gone") this.#notResumed(this.#reading, error);
    else this.#notice.say(explain(error));
  }

  #end(end: StreamEnd): void {
    if (end.id !== this.#reading?.id) return;
    if (end.reason === "replaced" && this.#wanted) return; // the next one starts at once
    const reading = this.#reading;
    this.#reading = null;
    this.#keep(reading.record, { ended: true, ...this.#screen.figures.times });
    this.#finish();
    void this.#judge(end, reading);
  }

  #finish(): void {
    this.#stopping = false;
    this.#screen.end();
  }

  async #judge(end: StreamEnd, reading: Reading): Promise<void> {
    const verdict = await reading.judge(end, this.#screen.text);
    if (this.running) return; // another one was started meanwhile
    this.#screen.show("ended", verdict);
    if (end.reason !== "shutdown") return;
    this.#notice.say("For the whole text, start it again.", { tone: "calm", again: true });
  }

  #notStarted(words: string, again = false): void {
    this.#wanted = null;
    this.#notice.say(words, { again });
    if (this.#reading) {
      remember(this.#reading.record);
      this.#showStreaming();
    } else {
      forget();
      this.#screen.show("ended", "Not started.");
    }
  }

  /** Change a record, and keep it over a reload: unless another stream has taken its place. */
  #keep(record: Remembered, change: Partial<Remembered>): void {
    Object.assign(record, change);
    if (record === (this.#wanted ?? record)) remember(record);
  }

  readonly #report = (answer: Answer): void => {
    if (!answer.ok) this.#notice.say(explain(answer.error));
  };
}
