/**
 * Shows text as it grows, and scrolls with it until the reader scrolls up.
 *
 * What arrives between two frames is shown at once. Each line of the text is a block of its own:
 * it has its own direction, and the browser lays out the last one again, not the whole text
 * (500 kB in steps of 400 characters: a quarter of the time, measured in Chromium).
 */
export class Output {
  readonly #element: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #newest: HTMLButtonElement;
  #block: HTMLElement | null = null; // the line that grows
  #text = "";
  #shown = 0; // of #text
  #frame = 0;
  #notBefore = 0;
  #following = true;
  #top = 0;

  constructor(element: HTMLElement, scroller: HTMLElement, newest: HTMLButtonElement) {
    this.#element = element;
    this.#scroller = scroller;
    this.#newest = newest;
    scroller.addEventListener("scroll", () => {
      this.#scrolled();
    });
    // Words below the text, or the keyboard of a phone, leave it less room.
    new ResizeObserver(() => {
      if (this.#following) this.#follow(true);
    }).observe(scroller);
    newest.addEventListener("click", () => {
      this.#follow(true);
      this.#scroller.focus();
    });
  }

  append(text: string): void {
    this.#text += text;
    this.#frame ||= requestAnimationFrame(this.#show);
  }

  clear(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#text = "";
    this.#block = null;
    this.#shown = 0;
    this.#element.replaceChildren();
    this.#follow(true);
  }

  /** Mark that a part of the text is missing here. The mark is no part of the text. */
  gap(words: string): void {
    this.flush();
    const mark = document.createElement("p");
    mark.className = "gap";
    mark.textContent = words;
    this.#element.append(mark);
    this.#block = null;
  }

  /** Show what still waits for the next frame: there may be none for long, in a hidden tab. */
  flush(): void {
    cancelAnimationFrame(this.#frame);
    this.#notBefore = 0;
    this.#show(performance.now());
  }

  readonly #show = (now: number): void => {
    if (now < this.#notBefore) {
      this.#frame = requestAnimationFrame(this.#show);
      return;
    }
    this.#frame = 0;
    if (this.#shown === this.#text.length) return;
    for (const part of this.#text.slice(this.#shown).split(/(?<=\n)/u)) this.#add(part);
    this.#shown = this.#text.length;
    const { scrollHeight } = this.#scroller; // lays out
    if (this.#following) this.#scroller.scrollTop = scrollHeight;
    // A line of 100,000 characters is slow to lay out: leave three quarters of the time to others.
    const cost = performance.now() - now;
    this.#notBefore = now + 4 * cost;
  };

  #add(part: string): void {
    if (!this.#block) {
      this.#block = document.createElement("div");
      this.#block.dir = "auto";
      this.#element.append(this.#block);
    }
    const last = this.#block.lastChild;
    if (last instanceof Text && last.length < 4096) last.appendData(part);
    else this.#block.append(part);
    if (part.endsWith("\n")) this.#block = null;
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    // Only a move upwards is the reader's: the distance to the end also grows with the text.
    if (scrollHeight - scrollTop - clientHeight < 24) this.#follow(true);
    else if (scrollTop < this.#top) this.#follow(false);
    this.#top = scrollTop;
  }

  #follow(following: boolean): void {
    this.#following = following;
    this.#newest.hidden = following;
    if (following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
