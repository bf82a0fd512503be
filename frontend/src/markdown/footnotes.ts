import type { Token, Tokens } from "marked";

/** `[^1]` in a text. */
export interface FootnoteReference extends Tokens.Generic {
  type: "footnoteReference";
  label: string;
  /** From 1, in the order in which the text first names its footnotes. */
  number: number;
  /** Unique in the text, and none of it. */
  place: string;
  /** The text is over and has no such footnote: what is written stays as it is. */
  isMissing: boolean;
}

/** `[^1]: text`, and what is indented below it. */
export interface Footnote extends Tokens.Generic {
  type: "footnote";
  label: string;
  tokens: Token[];
  number: number;
  /** Whether an earlier footnote has this label: references lead to that one. */
  isRepeated: boolean;
  /** The places of the references to it; more come as long as the text grows. */
  references: readonly string[];
}

/** As many links back as a reader could use. A footnote may be referred to any number of times. */
const MOST_LINKS_BACK = 20;

interface Note {
  readonly number: number;
  /** The place of the footnote, and the block that it is in, once that is finished. */
  defined?: { readonly place: string; readonly block: number };
  readonly references: string[];
  /** The finished blocks that refer to it before it is there. */
  readonly waiting: Set<number>;
}

/**
 * Numbers the footnotes of a text that grows.
 *
 * A number is given with the first mention and stays; so a reference looks the same before and
 * after its footnote has come, which mostly is at the very end.
 */
export class Footnotes {
  readonly #notes = new Map<string, Note>();

  /** Number what a finished block has of them. Return the earlier blocks in which that is seen. */
  finish(block: Token, index: number): ReadonlySet<number> {
    const changed = new Set<number>();
    for (const [one, place] of footnotesIn(block, index)) {
      const note = this.#note(one.label);
      one.number = note.number;
      if (one.type === "footnote") {
        note.defined ??= { place, block: index };
        note.waiting.clear();
        show(one, note, place);
        continue;
      }
      one.place = place;
      if (!note.defined) note.waiting.add(index);
      if (note.references.includes(place) || note.references.length >= MOST_LINKS_BACK) continue;
      note.references.push(place);
      if (note.defined && note.defined.block < index) changed.add(note.defined.block);
    }
    return changed;
  }

  /** Number what blocks that are not finished have of them, as if they were. */
  preview(blocks: readonly Token[], first: number): void {
    const numbers = new Map<string, number>();
    for (const [at, block] of blocks.entries()) {
      for (const [one, place] of footnotesIn(block, first + at)) {
        const note = this.#notes.get(one.label);
        const known = note?.number ?? numbers.get(one.label);
        one.number = known ?? this.#notes.size + numbers.size + 1;
        if (known === undefined) numbers.set(one.label, one.number);
        if (one.type === "footnote") show(one, note, place);
        else one.place = place;
      }
    }
  }

  /** Mark the references in a block whose footnotes are missing. Return whether there are any. */
  settle(block: Token, index: number): boolean {
    let isAny = false;
    for (const [one] of footnotesIn(block, index)) {
      if (one.type === "footnote" || this.#notes.get(one.label)?.defined) continue;
      one.isMissing = true;
      isAny = true;
    }
    return isAny;
  }

  /** The finished blocks that refer to footnotes which are not there. */
  get waiting(): ReadonlySet<number> {
    return new Set([...this.#notes.values()].flatMap(({ waiting }) => [...waiting]));
  }

  #note(label: string): Note {
    const known = this.#notes.get(label);
    if (known) return known;
    const note = { number: this.#notes.size + 1, references: [], waiting: new Set<number>() };
    this.#notes.set(label, note);
    return note;
  }
}

function show(footnote: Footnote, note: Note | undefined, place: string): void {
  footnote.isRepeated = note?.defined !== undefined && note.defined.place !== place;
  footnote.references = note && !footnote.isRepeated ? note.references : [];
}

/** All of them in a block, in the order of the text, each with its place. */
function footnotesIn(block: Token, index: number): [FootnoteReference | Footnote, string][] {
  if (!block.raw.includes("[^")) return [];
  const found: (FootnoteReference | Footnote)[] = [];
  collect([block], found);
  return found.map((one, at) => [one, `${index}-${at}`]);
}

function collect(tokens: readonly object[], found: (FootnoteReference | Footnote)[]): void {
  for (const token of tokens) {
    if (isFootnote(token)) found.push(token);
    for (const children of childrenOf(token)) collect(children, found);
  }
}

/** Lists have items, tables cells; a cell has a `header` too, which is none of them. */
function childrenOf(token: { tokens?: object[]; type?: string }): object[][] {
  if (token.type === "list") return [(token as Tokens.List).items];
  if (token.type !== "table") return [token.tokens ?? []];
  const { header, rows } = token as Tokens.Table;
  return [header, ...rows];
}

function isFootnote(token: object): token is FootnoteReference | Footnote {
  return "type" in token && (token.type === "footnote" || token.type === "footnoteReference");
}
