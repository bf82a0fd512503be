import { after, before } from "./cjk";

export interface Span {
  readonly type: "em" | "strong" | "del";
  /** Of its delimiters, on either side. */
  readonly width: 1 | 2;
  /** Behind the closing delimiters. */
  readonly end: number;
}

export interface Emphasis {
  /** By the place of their opening delimiters. */
  readonly spans: ReadonlyMap<number, Span>;
  /** What would close all that is open at the end of the text. */
  readonly closing: string;
}

/** A run of the same delimiters, or what is left of it. */
interface Run {
  readonly character: string;
  readonly length: number;
  readonly opens: boolean;
  readonly closes: boolean;
  /** Between letters and digits such as those of `2*3`. */
  readonly isInWord: boolean;
  at: number;
  count: number;
}

/**
 * Find emphasis and strike-through in a text whose code, links and escapes are masked.
 *
 * CommonMark 0.31.2, "An algorithm for parsing nested emphasis and links", with the flanking rule of
 * the "CommonMark CJK-friendly Amendments" (github.com/tats-u/markdown-cjk-friendly). Of tildes, two
 * strike: one stands for "about", and between numbers for "to".
 */
export function emphasisIn(masked: string): Emphasis {
  const spans = new Map<number, Span>();
  const open: Run[] = [];
  // Up to where there is no opener for such a closer: without, the time would grow with the square.
  const searched = new Map<string, number>();
  for (const { index, 0: delimiters } of masked.matchAll(/\*+|_+|~+/gu)) {
    const run = runAt(masked, index, delimiters);
    while (run.closes && run.count > 0 && closeWith(run, open, searched, spans));
    if (run.opens && run.count > 0) open.push(run);
  }
  return { spans, closing: closingOf(open) };
}

function runAt(masked: string, at: number, delimiters: string): Run {
  const [character = ""] = delimiters;
  const { length } = delimiters;
  const prior = before(masked, at);
  const next = after(masked, at + length);
  const touchesCjk = prior.isCjk || next.isCjk;
  let opens =
    !next.isSpace && (!next.isPunctuation || prior.isSpace || prior.isPunctuation || touchesCjk);
  let closes =
    !prior.isSpace && (!prior.isPunctuation || next.isSpace || next.isPunctuation || touchesCjk);
  if (character === "_") {
    // Not within a word. Beyond the amendments, next to punctuation a letter of these scripts is at
    // the edge of a word: they have no spaces, and no names in code are written so.
    const isBoth = opens && closes;
    opens &&= !isBoth || prior.isPunctuation || (prior.isCjk && next.isPunctuation);
    closes &&= !isBoth || next.isPunctuation || (next.isCjk && prior.isPunctuation);
  } else if (character === "~" && length !== 2) [opens, closes] = [false, false];
  const isWordBefore = !prior.isSpace && !prior.isPunctuation;
  const isInWord = isWordBefore && !next.isSpace && !next.isPunctuation && !touchesCjk;
  return { character, length, opens, closes, isInWord, at, count: length };
}

/** Return whether an opener was found. */
function closeWith(
  closer: Run,
  open: Run[],
  searched: Map<string, number>,
  spans: Map<number, Span>,
): boolean {
  const { character, opens, length } = closer;
  const kind = `${character}${opens ? "both" : ""}${length % 3}`;
  const bottom = searched.get(kind) ?? -1;
  let place = open.length - 1;
  const isOpener = (run: Run): boolean => run.character === character && fit(run, closer);
  for (let run = open[place]; run && !isOpener(run); run = open[place]) {
    place = run.at > bottom ? place - 1 : -1;
  }
  const opener = open[place];
  if (opener === undefined || opener.at <= bottom) {
    searched.set(kind, open.at(-1)?.at ?? -1);
    return false;
  }
  const width = Math.min(opener.count, closer.count) >= 2 ? 2 : 1;
  const type = character === "~" ? "del" : width === 2 ? "strong" : "em";
  opener.count -= width;
  closer.count -= width;
  closer.at += width;
  spans.set(opener.at + opener.count, { type, width, end: closer.at });
  open.length = opener.count > 0 ? place + 1 : place;
  return true;
}

/** Rules 9 and 10: a run that could both open and close does not pair with just any other one. */
function fit(opener: Run, closer: Run): boolean {
  if (opener.character === "~" || (!opener.closes && !closer.opens)) return true;
  return (opener.length + closer.length) % 3 !== 0 || closer.length % 3 === 0;
}

function closingOf(open: readonly Run[]): string {
  const meant = open.filter(
    ({ isInWord, length, count }) => count <= 3 && !(isInWord && length === 1),
  );
  return meant
    .map(({ character, count }) => character.repeat(count))
    .reverse()
    .join("");
}
