import type { Links, Token, Tokens } from "marked";
import { complete, decided } from "./complete";
import { Footnotes } from "./footnotes";
import { lex } from "./lexer";

/** Characters read at once, and of one block: a longer one goes on in another. */
const WINDOW = 16_384;
const MOST_LINKS = 200;

/** A paragraph, a list, a table and so on, in the order of the text. */
export interface Block {
  readonly token: Token;
  /** Of headings in it, from 2: the page's own is 1, and no level is left out. */
  readonly level: number;
  /** Whether it goes on with a block that became too long. */
  readonly continued: boolean;
  /** Whether another block goes on with it. */
  readonly goesOn: boolean;
}

/**
 * Reads Markdown as it grows.
 *
 * A block that another one follows is finished: it is not read again, and what is made of it stays.
 * Where blocks begin and end depends on the text only, not on the pieces in which it arrived.
 */
export class MarkdownBlocks {
  #text = "";
  #rest = ""; // not in finished blocks
  #isDone = false;
  #prefix = ""; // what a block that goes on begins with
  #continued = false;
  #level = 1;
  #finished: Block[] = [];
  #last: Block[] = [];
  #links: Links = {};
  #footnotes = new Footnotes();

  get blocks(): readonly Block[] {
    return [...this.#finished, ...this.#last];
  }

  /** Take the whole text so far. Any other than one that goes on from the last starts anew. */
  take(text: string, isDone: boolean): void {
    // `startsWith` takes a hundred times as long (Node.js 20, a text of 85,000 characters).
    // eslint-disable-next-line @typescript-eslint/prefer-string-starts-ends-with
    const goesOn = text.slice(0, this.#text.length) === this.#text;
    if (!goesOn || (this.#isDone && text.length !== this.#text.length)) this.#clear();
    this.#rest += text.slice(this.#text.length);
    this.#text = text;
    this.#isDone = isDone;
    // One that is the last may be the first half of a line break.
    if (this.#rest.includes("\r")) {
      this.#rest = this.#rest.replace(isDone ? /\r\n?/gu : /\r\n|\r(?!$)/gu, "\n");
    }
  }

  /** Read some of what is left, at most 16,384 characters. Return whether there is more. */
  read(): boolean {
    const window = this.#window();
    const isAll = window.length === this.#rest.length;
    const isEnd = isAll && this.#isDone;
    const isOpen = isAll && !this.#isDone;
    const tokens = lex(this.#prefix + (isOpen ? decided(window) : window), this.#links);
    const first = tokens.findIndex(({ type }) => type !== "space");
    // None may be, in a text of empty lines.
    const last = tokens.map(({ type }) => type !== "space").lastIndexOf(true);
    if (isEnd) this.#finish(tokens);
    else if (!isAll && last <= first) this.#goOnLater(tokens);
    else this.#finish(tokens.slice(0, Math.max(last, 0)));
    if (!isAll) this.#last = [];
    else {
      const open = this.#rest && complete(this.#prefix + this.#rest);
      this.#last = this.#blocksOf(open ? lex(open, this.#links) : []);
      const tokens = this.#last.map(({ token }) => token);
      this.#footnotes.preview(tokens, this.#finished.length);
      if (isEnd) this.#settle();
    }
    return !isAll;
  }

  #clear(): void {
    [this.#text, this.#rest, this.#prefix] = ["", "", ""];
    [this.#finished, this.#last, this.#links] = [[], [], {}];
    [this.#level, this.#continued] = [1, false];
    this.#footnotes = new Footnotes();
  }

  #window(): string {
    if (this.#rest.length <= WINDOW) return this.#rest;
    const lines = this.#rest.lastIndexOf("\n", WINDOW - 1) + 1;
    const end = lines || this.#rest.lastIndexOf(" ", WINDOW - 1) + 1;
    if (end > 0) return this.#rest.slice(0, end);
    // Not between the halves of a surrogate pair.
    return this.#rest.slice(0, WINDOW).replace(/[\uD800-\uDBFF]$/u, "");
  }

  /** Finish a block that fills the window, so that the next window goes on with it. */
  #goOnLater(tokens: Token[]): void {
    const [block] = tokens.filter(({ type }) => type !== "space");
    this.#finish(tokens);
    const last = this.#finished.pop();
    if (last) this.#finished.push({ ...last, goesOn: block !== undefined });
    this.#continued = block !== undefined;
    if (block?.type === "code")
      this.#prefix = /^ {0,3}(?:`{3,}|~{3,}).*\n/u.exec(block.raw)?.[0] ?? "";
    else if (block?.type === "table") this.#prefix = /^.*\n.*\n/u.exec(block.raw)?.[0] ?? "";
  }

  #finish(tokens: Token[]): void {
    if (tokens.length === 0) return;
    const length = tokens.reduce((sum, { raw }) => sum + raw.length, 0) - this.#prefix.length;
    this.#rest = this.#rest.slice(length);
    for (const block of this.#blocksOf(tokens)) {
      this.#finished.push(block);
      this.#number(block.token, this.#finished.length - 1);
      this.#level = block.token.type === "heading" ? block.level : this.#level;
    }
    [this.#prefix, this.#continued] = ["", false];
    for (const token of tokens) if (token.type === "def") this.#define(token as Tokens.Def);
  }

  #blocksOf(tokens: Token[]): Block[] {
    let level = this.#level;
    let continued = this.#continued;
    const shown = tokens.filter(({ type }) => type !== "space" && type !== "def");
    return shown.map((token) => {
      const deepest = Math.min(level + 1, 6);
      const block = { token, level: deepest, continued, goesOn: false };
      if (token.type === "heading") {
        level = Math.min((token as Tokens.Heading).depth + 1, deepest);
        block.level = level;
      }
      continued = false;
      return block;
    });
  }

  /** Finished blocks may have referred to a link before it was defined. */
  #define({ tag, href, title }: Tokens.Def): void {
    if (Object.hasOwn(this.#links, tag) || Object.keys(this.#links).length >= MOST_LINKS) return;
    this.#links = { ...this.#links, [tag]: { href, title } };
    this.#finished = this.#finished.map((block, index) => {
      if (!block.token.raw.toLowerCase().includes(`[${tag}]`)) return block;
      const [token = block.token] = lex(block.token.raw, this.#links);
      this.#number(token, index);
      return { ...block, token };
    });
  }

  #number(token: Token, index: number): void {
    for (const changed of this.#footnotes.finish(token, index)) this.#showAgain(changed);
  }

  /** No footnote will come any more: a reference without one is no reference. */
  #settle(): void {
    for (const index of this.#footnotes.waiting) {
      const token = this.#finished[index]?.token;
      if (token && this.#footnotes.settle(token, index)) this.#showAgain(index);
    }
  }

  /** Of a token that is another one a block is made again. */
  #showAgain(index: number): void {
    const block = this.#finished[index];
    if (block) this.#finished[index] = { ...block, token: { ...block.token } };
  }
}
