/** Within so many pixels of the end, the reader is at the end. */
const NEAR = 24;

/** Keeps the end of a growing text in view, until the reader scrolls up; then says so. */
export class Follower {
  readonly #scroller: HTMLElement;
  readonly #onChange: (following: boolean) => void;
  readonly #sizes: ResizeObserver;
  #following = true;
  #top = 0;

  constructor(scroller: HTMLElement, content: HTMLElement, onChange: (following: boolean) => void) {
    this.#scroller = scroller;
    this.#onChange = onChange;
    scroller.addEventListener("scroll", this.#scrolled, { passive: true });
    // Behind the browser's own layout: following costs none of its own.
    this.#sizes = new ResizeObserver(() => {
      if (this.#following) this.#toEnd();
    });
    this.#sizes.observe(content);
    this.#sizes.observe(scroller);
  }

  /** Go to the end, and stay there. */
  follow(): void {
    this.#set(true);
    this.#toEnd();
  }

  close(): void {
    this.#sizes.disconnect();
    this.#scroller.removeEventListener("scroll", this.#scrolled);
  }

  readonly #scrolled = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    // Only a move upwards is the reader's: the distance to the end also grows with the text.
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.#set(true);
    else if (scrollTop < this.#top) this.#set(false);
    this.#top = scrollTop;
  };

  #toEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #set(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    this.#onChange(following);
  }
}
