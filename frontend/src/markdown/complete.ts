import remend, { type RemendOptions } from "remend";
import { closing } from "./lexer";

/**
 * Markdown only, as the lexer knows it: no formulas, no HTML, nothing taken for what it is not. Not
 * emphasis either: the lexer knows better what is open.
 */
const OPTIONS: RemendOptions = {
  bold: false,
  boldItalic: false,
  comparisonOperators: false,
  htmlTags: false,
  inlineKatex: false,
  italic: false,
  katex: false,
  setextHeadings: false,
  singleTilde: false,
  strikethrough: false,
};
const CODE: RemendOptions = { ...OPTIONS, links: false, images: false };
const LINKS: RemendOptions = { ...OPTIONS, inlineCode: false };

/** Characters of one paragraph beyond which it is shown as it is until it is finished. */
const LONGEST = 4000;

const FENCE = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})([^\n]*)$/u;
/** A line of which all may turn out to be markup: it waits for its next character. */
const MARKERS = /^[\s>*_~`#+=\-\d.)([\]!]*(?:\[[xX]\]?\s*)?$/u;
const LAST_PART = /\n(?=[^\S\n]*(?:[-*+>#|]|\d{1,9}[.)]|\[\^))|\n[^\S\n]*\n/gu;

/**
 * Return the last block of an unfinished text as it will probably be once it is finished.
 *
 * So a reader sees bold text grow, not asterisks that vanish: what is open is closed, and the last
 * few characters wait when they may be markup.
 */
export function complete(source: string): string {
  const start = source.lastIndexOf("\n") + 1;
  const last = source.slice(start);
  if (isInCode(source.slice(0, start))) {
    return /^[\s>]*(?:`+|~+)$/u.test(last) ? source.slice(0, start) : source;
  }
  if (FENCE.test(last)) return source;
  return table(source) ?? closed(decided(source));
}

/** Leave off a last line that may turn out to be another thing: `***` a line across, or emphasis. */
export function decided(source: string): string {
  const start = source.lastIndexOf("\n") + 1;
  const isMarkers = source.length - start < 200 && MARKERS.test(source.slice(start));
  return isMarkers ? source.slice(0, start) : source;
}

/** Whether the lines leave a fence open, in a list or a quote as well. */
function isInCode(lines: string): boolean {
  let open = "";
  for (const line of lines.split("\n")) {
    const [, fence = "", info = ""] = FENCE.exec(line) ?? [];
    if (!open) open = fence;
    else if (fence.startsWith(open) && !info.trim()) open = "";
  }
  return open !== "";
}

/** The first row makes a table, before the row of dashes says so. */
function table(source: string): string | undefined {
  const [header = "", dashes = "", ...more] = source.trimStart().split("\n");
  if (!header.startsWith("|") || more.length > 0 || !/^[\s|:-]*$/u.test(dashes)) return undefined;
  const cells = closed(header.slice(1)).replace(/\|\s*$/u, "");
  const columns = cells.split(/(?<!\\)\|/u).length;
  return `|${cells}|\n|${"-|".repeat(columns)}`;
}

/**
 * Close what is open in the last paragraph, item or row. Leave off what is half a mark: a backslash,
 * a character reference, the bracket before an address, asterisks that nothing follows.
 */
function closed(source: string): string {
  let start = 0;
  for (const { index, 0: part } of source.matchAll(LAST_PART)) start = index + part.length;
  const part = source.slice(start);
  if (part.length > LONGEST) return source;
  const whole = part
    .replace(/(?:\\|&#?\w{0,31}|(?<=\[[^\][]{0,300})\])$/u, "")
    .replace(/\[\^[^\][\s]{0,100}$/u, "")
    .replace(/(^|[\s([{"'|*_~])`{1,2}$/u, "$1")
    .replace(/(?<!\\)[*_~]+$/u, "");
  // From the inside out: code, what is open in the text of a link, the link, what is open around it.
  let text = whole.includes("`") ? remend(whole, CODE) : whole;
  if (text.includes("[")) {
    text = text.replace(/(?<=\[)[^\][]*$/u, (words) => words + closing(words));
    text = remend(text, LINKS);
  }
  return source.slice(0, start) + text.trimEnd() + closing(text);
}
