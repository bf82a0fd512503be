import { Lexer, Tokenizer, type Links, type Token, type TokensList } from "marked";

/** Levels of quotes and lists, and of emphasis; what is deeper is shown as text. */
const DEEPEST = 16;
/** In one run of inline text. Matching them takes time that grows with the square of their number. */
const MOST_DELIMITERS = 1000;
const DELIMITER = /[*_~`[\]]/gu;

/** Knows no HTML: what looks like it is text. */
class TextTokenizer extends Tokenizer {
  override html(): undefined {
    return undefined;
  }

  override tag(): undefined {
    return undefined;
  }
}

/** marked's lexer, which takes bounded time and stack on any text. */
class BoundedLexer extends Lexer {
  #blocks = 0;
  #inlines = 0;

  constructor(links: Links) {
    super({ gfm: true, tokenizer: new TextTokenizer() });
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
    const delimiters = source.match(DELIMITER)?.length ?? 0;
    if (this.#inlines >= DEEPEST || delimiters > MOST_DELIMITERS) return asText(source, tokens);
    this.#inlines += 1;
    try {
      return super.inlineTokens(source, tokens);
    } finally {
      this.#inlines -= 1;
    }
  }
}

function asText(text: string, tokens: Token[]): Token[] {
  if (text) tokens.push({ type: "text", raw: text, text, escaped: false });
  return tokens;
}

/** Return the blocks of `source`, which is at most a few thousand characters long. */
export function lex(source: string, links: Links): Token[] {
  return [...new BoundedLexer(links).lex(source)];
}
