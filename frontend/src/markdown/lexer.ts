import {
  Hooks,
  Lexer,
  Tokenizer,
  type Links,
  type Token,
  type TokenizerExtensionFunction,
  type TokenizerStartFunction,
  type Tokens,
  type TokensList,
} from "marked";
import { hasCjk } from "./cjk";
import { emphasisIn, type Emphasis } from "./emphasis";
import { footnote, footnoteReference, footnoteWithin } from "./footnoteSyntax";
import { addressIn } from "./links";

/** Levels of quotes and lists, and of emphasis; what is deeper is shown as text. */
const DEEPEST = 16;
/** In one run of inline text. Matching them takes time that grows with the square of their number. */
const MOST_DELIMITERS = 1000;
const DELIMITER = /[*_~`[\]]/gu;

/** A run of inline text that is read. */
interface Run {
  readonly source: string;
  /** Whether there is Chinese, Japanese or Korean in the paragraph, cell or heading. */
  readonly isCjk: boolean;
  /** Found when it is needed; what is within an emphasis shares that of the text around it. */
  emphasis: Emphasis | undefined;
  /** Where it begins in the text whose `emphasis` it is. */
  readonly shift: number;
}

/** Knows no HTML: what looks like it is text. */
class TextTokenizer extends Tokenizer {
  isCjk = false;

  override html(): undefined {
    return undefined;
  }

  override tag(): undefined {
    return undefined;
  }

  override lheading(source: string): Tokens.Heading | undefined {
    return super.lheading(source.slice(0, footnoteWithin(source)));
  }

  override table(source: string): Tokens.Table | undefined {
    return super.table(source.slice(0, footnoteWithin(source)));
  }

  /** One tilde stands for "about", and between numbers for "to"; two strike. */
  override del(source: string, masked: string, prior: string): Tokens.Del | undefined {
    return source.startsWith("~~") ? super.del(source, masked, prior) : undefined;
  }

  override url(source: string): Tokens.Link | undefined {
    return super.url(this.isCjk ? addressIn(source) : source);
  }
}

/** marked's lexer, which takes bounded time and stack on any text. */
class BoundedLexer extends Lexer {
  readonly #tokenizer: TextTokenizer;
  #blocks = 0;
  #inlines = 0;
  #run: Run | undefined;
  #next: Run | undefined;

  constructor(links: Links, tokenizer = new TextTokenizer()) {
    super({
      gfm: true,
      tokenizer,
      extensions: {
        block: [footnote],
        inline: [footnoteReference, emphasis],
        startBlock: [footnoteWithin],
        startInline: [bareAddress],
        renderers: {},
        childTokens: {},
      },
    });
    this.#tokenizer = tokenizer;
    Object.assign(this.tokens.links, links);
  }

  override blockTokens(source: string, tokens?: Token[], clipped?: boolean): Token[];
  override blockTokens(source: string, tokens?: TokensList, clipped?: boolean): TokensList;
  override blockTokens(source: string, tokens: Token[] = [], clipped?: boolean): Token[] {
    if (this.#blocks >= DEEPEST) return asText(source, tokens);
    this.#blocks += 1;
    try {
      return super.blockTokens(source, tokens, clipped);
    } finally {
      this.#blocks -= 1;
    }
  }

  override inlineTokens(source: string, tokens: Token[] = []): Token[] {
    const around = this.#run;
    const isCjk = around?.isCjk ?? hasCjk(source);
    const run = this.#next ?? { source, isCjk, emphasis: undefined, shift: 0 };
    this.#next = undefined;
    const delimiters = source.match(DELIMITER)?.length ?? 0;
    if (this.#inlines >= DEEPEST || delimiters > MOST_DELIMITERS) return asText(source, tokens);
    this.#inlines += 1;
    this.#enter(run);
    try {
      return super.inlineTokens(source, tokens);
    } finally {
      this.#inlines -= 1;
      this.#enter(around);
    }
  }

  /** Next to these scripts, emphasis is not what marked takes for it. */
  emphasis(source: string): Tokens.Generic | undefined {
    const run = this.#run;
    if (!run?.isCjk) return undefined;
    run.emphasis ??= emphasisIn(masked(run.source, this.tokens.links));
    const at = run.shift + run.source.length - source.length;
    const span = run.emphasis.spans.get(at);
    if (!span) return asText(source.slice(0, 1))[0];
    const { type, width, end } = span;
    const raw = source.slice(0, end - at);
    const text = raw.slice(width, -width);
    this.#next = { ...run, source: text, shift: at + width };
    return { type, raw, text, tokens: this.inlineTokens(text) };
  }

  /** In a text without spaces an address follows a letter. Those with a scheme are found anyway. */
  bareAddress(rest: string): number | undefined {
    if (!this.#run?.isCjk) return undefined;
    const { source } = this.#run;
    const start = source.length - rest.length;
    let at = rest.indexOf("www.");
    while (at >= 0 && !hasCjk(source.charAt(start + at - 1))) at = rest.indexOf("www.", at + 1);
    return at < 0 ? undefined : at;
  }

  #enter(run: Run | undefined): void {
    this.#run = run;
    this.#tokenizer.isCjk = run?.isCjk ?? false;
  }
}

const emphasis: TokenizerExtensionFunction = function (source) {
  if (!/^[*_~]/u.test(source) || !(this.lexer instanceof BoundedLexer)) return undefined;
  return this.lexer.emphasis(source);
};

const bareAddress: TokenizerStartFunction = function (source) {
  return this.lexer instanceof BoundedLexer ? this.lexer.bareAddress(source) : undefined;
};

/** The text with what can hold no delimiter masked, as marked does it: code, links and escapes. */
function masked(source: string, links: Links): string {
  let mask = source;
  const hooks = new Hooks();
  hooks.emStrongMask = (made) => (mask = made);
  const all: TokenizerExtensionFunction = (raw) => ({ type: "text", raw });
  const lexer = new Lexer({
    gfm: true,
    hooks,
    extensions: { inline: [all], renderers: {}, childTokens: {} },
  });
  Object.assign(lexer.tokens.links, links);
  lexer.inlineTokens(source);
  return mask;
}

/** What closes the emphasis that is open at the end of a text. */
export function closing(source: string): string {
  return /[*_~]/u.test(source) ? emphasisIn(masked(source, {})).closing : "";
}

function asText(text: string, tokens: Token[] = []): Token[] {
  if (text) tokens.push({ type: "text", raw: text, text, escaped: false });
  return tokens;
}

/** Return the blocks of `source`, which is at most a few thousand characters long. */
export function lex(source: string, links: Links): Token[] {
  return [...new BoundedLexer(links).lex(source)];
}
