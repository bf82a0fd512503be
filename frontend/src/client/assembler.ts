import type { StreamChunk } from "./protocol.js";

/** What `Assembler.accept` made of a chunk. */
export type Acceptance = "new" | "known" | "misfit";

/** Puts chunks together into the text: every unit once, in order. */
export class Assembler {
  /** Where this reader began, in units. Only from 0 can the whole text be verified. */
  readonly first: number;
  #offset: number;
  #text = "";

  constructor(offset = 0) {
    this.first = offset;
    this.#offset = offset;
  }

  /** The next unit due, counted from the start of the text. */
  get offset(): number {
    return this.#offset;
  }

  /** The units from `first` to `offset`, joined. */
  get text(): string {
    return this.#text;
  }

  /**
   * Take a chunk if it continues the text.
   *
   * A `known` one is a repetition. A `misfit` leaves a gap, or overlaps and brings new units too:
   * it is not trimmed here, since the server alone knows where its units begin. Ask for the units
   * from `offset` on.
   */
  accept({ offset, next, text }: StreamChunk): Acceptance {
    if (next <= this.#offset) return "known";
    if (offset !== this.#offset) return "misfit";
    this.#offset = next;
    this.#text += text;
    return "new";
  }
}
