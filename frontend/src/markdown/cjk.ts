/**
 * Chinese, Japanese and Korean characters, as the "CommonMark CJK-friendly Amendments" define them:
 * East Asian Width W, F or H, or Hangul, but no emoji. The blocks that are all of that kind, since
 * the language knows scripts but not widths.
 */
const CJK =
  /[\p{Script=Hangul}\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u303E\u3041-\u3247\u3250-\uA4CF\uF900-\uFAFF\uFE10-\uFE1F\uFE30-\uFE6F\uFF01-\uFFEE\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1D300}-\u{1D376}\u{1F200}-\u{1F265}\u{20000}-\u{3FFFD}\u20A9](?<!\p{Emoji_Presentation})/u;

/** Unicode's, which is not the language's `\s`. */
const SPACE = /[\p{Zs}\t\n\f\r]/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;

/** Beyond all alphabets whose text is no matter of this module; most texts are tested no further. */
const MAYBE_CJK = /[\u1100-\uFFFF]/;

export function hasCjk(text: string): boolean {
  return MAYBE_CJK.test(text) && CJK.test(text);
}

/** What stands beside a run of delimiters. The beginning and the end of a text count as space. */
export interface Neighbour {
  readonly isSpace: boolean;
  /** Unicode's punctuation and symbols, those of these scripts among them. */
  readonly isPunctuation: boolean;
  readonly isCjk: boolean;
}

function neighbour(character: string): Neighbour {
  return {
    isSpace: character === "" || SPACE.test(character),
    isPunctuation: PUNCTUATION.test(character),
    isCjk: hasCjk(character),
  };
}

export function after(text: string, at: number): Neighbour {
  const code = text.codePointAt(at);
  return neighbour(code === undefined ? "" : String.fromCodePoint(code));
}

/** A variation selector belongs to the character before it: that one counts. */
export function before(text: string, at: number): Neighbour {
  const character = last(text, at);
  if (/[\u{E0100}-\u{E01EF}]/u.test(character))
    return { isSpace: false, isPunctuation: false, isCjk: true };
  if (!/[\uFE00-\uFE0E]/u.test(character)) return neighbour(character);
  const base = last(text, at - 1);
  // The full-width form of quotation marks, whose width is else that of the text around them.
  const isWide = character === "\uFE01" && /[‘’“”]/u.test(base);
  return isWide ? { ...neighbour(base), isCjk: true } : neighbour(base);
}

function last(text: string, end: number): string {
  const code = text.codePointAt(end - 2) ?? 0;
  return code > 0xffff ? String.fromCodePoint(code) : text.charAt(end - 1);
}
