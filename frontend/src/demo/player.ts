import {
  StreamError,
  type Rate,
  type StartRequest,
  type StreamClient,
  type StreamResult,
  type StreamSnapshot,
  type TextStream,
} from "../client";
import type { ConnectionBadge } from "./badge";
import { Memory, type Remembered } from "./memory";
import type { Notice } from "./notice";
import { now } from "./now";
import { Reading, type ReadingHandlers } from "./reading";
import type { Screen } from "./screen";
import { explain, lostBecause, missing, notStartedBecause, verdict } from "./words";

/** One stream at a time: start it, show it whatever happens, stop it, say how it ended. */
export class Player {
  readonly #client: StreamClient;
  readonly #badge: ConnectionBadge;
  readonly #screen: Screen;
  readonly #notice: Notice;
  readonly #memory: Memory;
  #wanted: Reading | undefined; // asked for, not yet begun
  #reading: Reading | undefined; // on the screen
  #last: StartRequest | undefined; // what was asked for last

  constructor(client: StreamClient, badge: ConnectionBadge, screen: Screen, notice: Notice) {
    this.#client = client;
    this.#badge = badge;
    this.#screen = screen;
    this.#notice = notice;
    this.#memory = new Memory(client.url);
    client.on("state", (state) => {
      if (state === "draining" && this.#reading) this.#showStreaming();
    });
  }

  /** Whether a text is on its way, or asked for. */
  get running(): boolean {
    return Boolean(this.#reading ?? this.#wanted);
  }

  start(request: StartRequest): void {
    this.#notice.say("");
    this.#last = request;
    if (this.#client.state === "draining") {
      // The client would wait for the server's successor; a person is told.
      this.#notStarted("The server is going down. Try again in a moment.", true);
      return;
    }
    const stream = this.#client.start(request);
    const sent = stream.request ?? request;
    this.#want(stream, { request: sent, rate: request.rate ?? "auto", asked: now(), resumes: 0 });
  }

  /** Start what was asked for last once more. */
  again(): void {
    if (!this.#last) return;
    const request = { ...this.#last };
    delete request.request_id; // with it, the server would answer with the stream of that time
    this.start(request);
  }

  /** Take up what was there before a reload, if anything was; return it. */
  restore(): Remembered | undefined {
    const record = this.#memory.recall();
    if (!record) return undefined;
    const { id, request, rate, ended } = record;
    this.#last = request;
    if (id === undefined) {
      // With its request_id it is not done twice.
      const stream = this.#client.start(request);
      this.#want(stream, record);
      if (rate !== request.rate) this.setRate(rate);
    } else {
      // What was complete is only shown once more.
      const stream = this.#client.resume(id, { rate: ended ? 0 : rate });
      this.#show(this.#read(stream, record));
      this.#screen.show("waiting", "Getting the text back…");
    }
    return record;
  }

  stop(): void {
    if (this.#badge.connected) {
      void (this.#wanted ?? this.#reading)?.stream.stopOrLeave();
      return;
    }
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted) this.#drop(wanted);
    if (this.#reading) {
      this.#memory.remember(this.#reading.record);
      void this.#reading.stream.stopOrLeave();
      this.#showInterrupted(this.#reading);
    } else if (wanted) {
      this.#notStarted("");
    }
  }

  setRate(rate: Rate): void {
    for (const reading of [this.#wanted, this.#reading]) {
      if (!reading || reading.record.ended) continue;
      this.#keep(reading.record, { rate });
      reading.stream.setRate(rate).catch((error: unknown) => {
        if (error instanceof StreamError) this.#notice.say(explain(error));
      });
    }
  }

  #want(stream: TextStream, record: Remembered): void {
    if (this.#wanted) this.#drop(this.#wanted);
    this.#wanted = this.#read(stream, record);
    this.#memory.remember(record);
    const what = this.#badge.connected ? "the first character" : "the server";
    this.#screen.show("waiting", `Waiting for ${what}…`);
  }

  #read(stream: TextStream, record: Remembered): Reading {
    return new Reading(stream, record, this.#handlers);
  }

  readonly #handlers: ReadingHandlers = {
    begun: (reading, id) => {
      const before = this.#reading;
      this.#wanted = undefined;
      this.#keep(reading.record, { id });
      this.#show(reading);
      this.#screen.show("waiting", "Waiting for the first character…");
      if (before) this.#drop(before);
      const { offset } = reading.stream;
      if (offset > 0) this.#skip(reading, 0, offset); // started before a reload, and trimmed since
    },
    text: ({ record }, { offset, next, text }) => {
      this.#screen.append(text, next - offset, Boolean(record.ended));
      if (record.firstAt) return;
      this.#showStreaming();
      this.#keep(record, this.#screen.figures.times);
    },
    interrupted: (reading) => {
      if (reading === this.#reading) this.#showInterrupted(reading);
    },
    resumed: ({ record }) => {
      if (record.ended) return;
      this.#keep(record, { resumes: record.resumes + 1 });
      this.#screen.figures.showResumes(record.resumes);
      if (record.firstAt) this.#showStreaming();
      else this.#screen.show("waiting", "Waiting for the first character…");
      this.#badge.resumed();
    },
    ended: (reading, snapshot) => {
      this.#ended(reading, snapshot);
    },
  };

  #show(reading: Reading): void {
    this.#reading = reading;
    this.#screen.clear();
    this.#screen.figures.begin(reading.record);
    this.#screen.figures.showResumes(reading.record.resumes);
  }

  #showStreaming(): void {
    const draining = this.#client.state === "draining";
    const words = draining ? "Goes on for a moment, then the server ends it." : "Streaming";
    this.#screen.show("streaming", words);
  }

  #showInterrupted({ stream }: Reading): void {
    const verb = stream.snapshot.stopping ? "Stops" : "Goes on";
    this.#screen.show("waiting", `${verb} when the connection is back.`);
  }

  #ended(reading: Reading, snapshot: StreamSnapshot): void {
    const { result, error, offset } = snapshot;
    this.#client.forget(reading.stream);
    if (reading === this.#wanted) {
      const { words, detail } = error ? notStartedBecause(error) : { words: "" };
      this.#notStarted(words, error !== undefined, detail);
    } else if (error?.code === "offset_gone" && (error.first ?? 0) > offset) {
      this.#goOn(reading, snapshot, error.first ?? 0);
    } else {
      this.#reading = undefined;
      this.#screen.end();
      if (result) this.#conclude(reading, result, error);
      else if (error) this.#breakOff(error, offset);
    }
  }

  /** Go on at `first`: what lies before it was trimmed. */
  #goOn({ record, lost }: Reading, { offset, stopping }: StreamSnapshot, first: number): void {
    const { id = "" } = record;
    const rate = record.ended ? 0 : record.rate;
    const next = this.#read(this.#client.resume(id, { offset: first, rate }), record);
    next.lost = lost;
    this.#reading = next;
    this.#skip(next, offset, first);
    if (stopping) void next.stream.stopOrLeave();
  }

  #skip(reading: Reading, from: number, to: number): void {
    reading.lost += to - from;
    const words = missing(from, to);
    this.#screen.gap(`${words}.`);
    this.#notice.say(`${words}: the server keeps only the newest part of so long a text.`);
  }

  #conclude({ record, stream, lost }: Reading, result: StreamResult, error?: StreamError): void {
    const { reason, offset, verified } = result;
    this.#keep(record, { ended: true, ...this.#screen.figures.times });
    if (this.#wanted) return; // another one is to take its place
    const whole = verified !== false && offset === stream.offset;
    const proof = whole ? (verified ? "verified" : "whole") : "broken";
    this.#screen.show("ended", verdict(reason, lost, proof));
    if (reason === "error" && error) this.#notice.say(explain(error));
    if (reason === "shutdown")
      this.#notice.say("For the whole text, start it again.", { tone: "calm", again: true });
  }

  /** The rest of it cannot be read. */
  #breakOff(error: StreamError, offset: number): void {
    if (this.#wanted) return;
    this.#memory.forget();
    if (offset === 0) {
      this.#screen.show("idle", "");
      const words = "The text that was here is no longer on the server. Its prompt is in the form.";
      this.#notice.say(words, { tone: "calm", again: true });
      return;
    }
    const why = lostBecause(error, this.#badge.restarting);
    this.#badge.restarting = false;
    this.#screen.show("ended", "Incomplete.");
    this.#notice.say(`${why} What arrived stays here, the rest is lost.`, { again: true });
  }

  #notStarted(words: string, again = false, detail = ""): void {
    this.#wanted = undefined;
    this.#notice.say(words, { detail, again });
    if (this.#reading) {
      this.#memory.remember(this.#reading.record);
      this.#showStreaming();
    } else {
      this.#memory.forget();
      this.#screen.show("ended", "Not started.");
    }
  }

  /** Another one takes its place: stop it, and hear no more of it. */
  #drop(reading: Reading): void {
    reading.close();
    void reading.stream.stopOrLeave().then(() => {
      this.#client.forget(reading.stream);
    });
  }

  /** Change a record, and keep it over a reload: unless another stream has taken its place. */
  #keep(record: Remembered, change: Partial<Remembered>): void {
    Object.assign(record, change);
    if (record === (this.#wanted?.record ?? record)) this.#memory.remember(record);
  }
}
