/** Footnotes as GitHub's Markdown has them, for marked's lexer. */
import type { TokenizerExtensionFunction } from "marked";
import type { Footnote, FootnoteReference } from "./footnotes";

const LABEL = String.raw`\[\^([^\]\[\s]{1,100})\]`;
/** A link's text may begin like a reference. */
const REFERENCE = new RegExp(String.raw`^${LABEL}(?!\()`, "u");
const BEGINNING = new RegExp(String.raw`^ {0,3}${LABEL}:[^\S\n]*`, "u");
const LATER = new RegExp(String.raw`\n {0,3}${LABEL}:`, "u");
/** Of a line that goes on with the paragraph above it although it is not indented. */
const LAZY =
  /^(?! {0,3}(?:\[\^|#{1,6}(?:\s|$)|>|[-*+](?:\s|$)|\d{1,9}[.)]\s|`{3}|~{3}|\||(?:[-_*][^\S\n]*){3,}\s*$|=+\s*$))(?=.*\S)/u;
const INDENT = /^(?: {4}| {0,3}\t)/u;

export const footnoteReference: TokenizerExtensionFunction = (source) => {
  if (!source.startsWith("[^")) return undefined;
  const [raw, label] = REFERENCE.exec(source) ?? [];
  if (raw === undefined || label === undefined) return undefined;
  const token: FootnoteReference = {
    type: "footnoteReference",
    raw,
    label: label.toLowerCase(),
    number: 0,
    place: "",
    isMissing: false,
  };
  return token;
};

export const footnote: TokenizerExtensionFunction = function (source) {
  const [beginning, label] = BEGINNING.exec(source) ?? [];
  if (beginning === undefined || label === undefined) return undefined;
  const raw = beginning + extent(source.slice(beginning.length));
  const [first = "", ...lines] = raw.slice(beginning.length).split("\n");
  const content = [first, ...lines.map((line) => line.replace(INDENT, ""))].join("\n");
  const { state } = this.lexer;
  const { top } = state;
  state.top = true; // blocks, in a list's item as well
  const tokens = this.lexer.blockTokens(content, []);
  state.top = top;
  const token: Footnote = {
    type: "footnote",
    raw,
    label: label.toLowerCase(),
    tokens,
    number: 0,
    isRepeated: false,
    references: [],
  };
  return token;
};

/** Where a footnote ends what would else go on as a paragraph: it needs no empty line. */
export function footnoteWithin(source: string): number | undefined {
  const end = source.search(/\n[^\S\n]*\n/u);
  const paragraph = end < 0 ? source : source.slice(0, end);
  const at = paragraph.includes("[^") ? paragraph.search(LATER) : -1;
  return at < 0 ? undefined : at + 1;
}

/** The rest of the first line and the lines that go on with it; empty ones only before such a one. */
function extent(source: string): string {
  let end = 0;
  let isAfterEmpty = false;
  for (let start = 0; start < source.length;) {
    const next = source.indexOf("\n", start) + 1 || source.length;
    const line = source.slice(start, next);
    const isEmpty = !line.trim();
    if (start > 0 && !isEmpty && !INDENT.test(line) && (isAfterEmpty || !LAZY.test(line))) break;
    if (!isEmpty || start === 0) end = next;
    isAfterEmpty = isEmpty;
    start = next;
  }
  return source.slice(0, end);
}
