/** About what a sentence takes to be spoken. */
const PAUSE_MS = 3000;
/** Characters: speech cannot follow a faster stream. */
const MOST = 400;

/** Hands whole sentences, not characters, to `say`, for a polite live region. */
export class Speaker {
  readonly #say: (sentences: string) => void;
  readonly #sentences = new Intl.Segmenter(undefined, { granularity: "sentence" });
  #waiting = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(say: (sentences: string) => void) {
    this.#say = say;
  }

  add(text: string): void {
    this.#waiting += text;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
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
    this.#timer = undefined;
    this.#waiting = "";
  }

  /** Where the last sentence begins, which may still grow. */
  #finished(): number {
    const skipped = Math.max(0, this.#waiting.length - 4 * MOST);
    let last = 0;
    for (const { index } of this.#sentences.segment(this.#waiting.slice(skipped))) last = index;
    return last === 0 ? 0 : skipped + last;
  }

  #speak(end: number): void {
    const text = this.#waiting.slice(0, end).trim();
    this.#waiting = this.#waiting.slice(end);
    if (text) this.#say(text.length > MOST ? `… ${text.slice(-MOST)}` : text);
  }
}
