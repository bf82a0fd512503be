const PAUSE_MS = 3000; // about what a sentence takes to be spoken
const MOST = 400; // characters; speech cannot follow a faster stream
const SENTENCE_ENDS = new Set(".!?…。！？।؟۔\n");

/** Hands finished sentences, not characters, to a polite live region for screen readers. */
export class Narrator {
  readonly #region: HTMLElement;
  #waiting = "";
  #timer = 0;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  add(text: string): void {
    this.#waiting += text;
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#speak(this.#finished());
    }, PAUSE_MS);
  }

  /** Say what is left, finished or not. */
  end(): void {
    this.#speak(this.#waiting.length);
    this.clear();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#waiting = "";
  }

  #finished(): number {
    let end = this.#waiting.length;
    while (end > 0 && !SENTENCE_ENDS.has(this.#waiting.charAt(end - 1))) end -= 1;
    return end;
  }

  #speak(end: number): void {
    const text = this.#waiting.slice(0, end).trim();
    this.#waiting = this.#waiting.slice(end);
    if (text) this.#region.textContent = text.length > MOST ? `… ${text.slice(-MOST)}` : text;
  }
}
