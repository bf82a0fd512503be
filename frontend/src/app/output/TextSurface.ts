/** Milliseconds that one showing may take before the next is put off. */
const BUDGET_MS = 8;
/** Characters shown in one frame: more at once is a long task on a slow machine. */
const MOST_AT_ONCE = 16_384;
/** Characters of one text node; appending to a long one copies it. */
const NODE = 4096;
/** Characters of one block: laying out a line of 200,000 anew takes a quarter of a second. */
const BLOCK = 8192;

/**
 * Shows text as it grows, without React: what arrived since the last frame is appended to text nodes.
 *
 * Each line is a block: it has its own direction, and only the last one is laid out again. One that
 * is very long goes on in another block where its last row begins, which looks the same until the
 * window gets another width. When showing takes long all the same, frames are left free for others.
 */
export class TextSurface {
  readonly #element: HTMLElement;
  #pending = "";
  #block: HTMLElement | undefined; // the line that grows
  #length = 0; // of the block
  #frame = 0;
  #notBefore = 0;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  append(text: string): void {
    this.#pending += text;
    this.#frame ||= requestAnimationFrame(this.#show);
  }

  clear(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#pending = "";
    this.#block = undefined;
    this.#element.replaceChildren();
  }

  readonly #show = (now: number): void => {
    this.#frame = 0;
    if (now >= this.#notBefore) {
      const began = performance.now();
      this.#addSome();
      const { offsetHeight } = this.#element; // lays out now, so that its cost is seen
      if (this.#length > BLOCK) this.#goOnBelow();
      const cost = offsetHeight >= 0 ? performance.now() - began : 0;
      this.#notBefore = cost > BUDGET_MS ? now + 4 * cost : 0;
    }
    if (this.#pending) this.#frame = requestAnimationFrame(this.#show);
  };

  #addSome(): void {
    let end = Math.min(this.#pending.length, MOST_AT_ONCE);
    // Not between the halves of a surrogate pair.
    if (/[\uD800-\uDBFF]/u.test(this.#pending.charAt(end - 1)) && end > 1) end -= 1;
    const some = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end);
    for (const part of some.split(/(?<=\n)/u)) this.#add(part);
  }

  #add(part: string): void {
    if (!this.#block) {
      this.#block = document.createElement("div");
      this.#block.dir = "auto";
      this.#element.append(this.#block);
      this.#length = 0;
    }
    this.#length += part.length;
    const last = this.#block.lastChild;
    if (last instanceof Text && last.length < NODE) last.appendData(part);
    else this.#block.append(part);
    if (part.endsWith("\n")) this.#block = undefined;
  }

  /** Move the last row of the block, which still grows, to a block of its own. */
  #goOnBelow(): void {
    const last = this.#block?.lastChild;
    if (!this.#block || !(last instanceof Text)) return;
    const begin = lastRow(last);
    if (begin === 0) return; // It began in an earlier node: the next time, then.
    const block = document.createElement("div");
    block.dir = getComputedStyle(this.#block).direction; // It is the same line still.
    block.append(last.splitText(begin));
    this.#block.after(block);
    this.#block = block;
    this.#length = block.textContent.length;
  }
}

/** Where in `text` the row begins that its end is in; 0 when that is in an earlier node. */
function lastRow(text: Text): number {
  const range = document.createRange();
  const top = (index: number): number => {
    range.setStart(text, index);
    range.setEnd(text, index + 1);
    return range.getBoundingClientRect().top;
  };
  let [before, within] = [0, text.length - 1];
  const end = top(within);
  // Fonts of several scripts in one row are not at the same height to the pixel.
  const isWithin = (index: number): boolean => Math.abs(top(index) - end) < 8;
  if (within <= 0 || isWithin(0)) return 0;
  while (within - before > 1) {
    const middle = (before + within) >> 1;
    if (isWithin(middle)) within = middle;
    else before = middle;
  }
  return within;
}
