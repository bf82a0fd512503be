import { sha256 } from "../client/digest";
import type { Remembered } from "./memory";
import type { StreamEnd } from "./protocol";
import { verdict } from "./words";

/** The stream that is on the screen, and where the reader is in it. */
export class Reading {
  next = 0; // the offset of the next unit
  #lost = 0; // units that the server no longer has

  constructor(
    readonly id: string,
    readonly record: Remembered,
  ) {}

  /** Go on at `first`, without what lies before it. */
  skip(first: number): void {
    this.#lost += first - this.next;
    this.next = first;
  }

  /** Say how it ended, and whether the text is the one that the server sent, to the last byte. */
  async judge(end: StreamEnd, text: string): Promise<string> {
    if (this.#lost) return verdict(end.reason, this.#lost, "broken");
    const hash = await sha256(text);
    const whole = this.next === end.offset && (hash === undefined || hash === end.text_sha256);
    return verdict(end.reason, 0, whole ? (hash ? "verified" : "whole") : "broken");
  }
}
