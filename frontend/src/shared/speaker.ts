/** About what a sentence takes to be spoken. */
const PAUSE_MS = 3000;
/** Characters: speech cannot follow a faster stream. */
const MOST = 400;
const SENTENCE_ENDS = new Set(".!?…。！？।؟۔\n");

/** Says where the finished sentences of a text end. */
export type FinishedAt = (text: string) => number;

/** Behind the last mark that ends a sentence: at once, and wrong for abbreviations. */
export const byMarks: FinishedAt = (text) => {
  let end = text.length;
  while (end > 0 && !SENTENCE_ENDS.has(text.charAt(end - 1))) end -= 1;
  return end;
};

const sentences = new Intl.Segmenter(undefined, { granularity: "sentence" });

/** Where the last sentence begins, which may still grow. */
export const bySegments: FinishedAt = (text) => {
  const skipped = Math.max(0, text.length - 4 * MOST);
  let last = 0;
  for (const { index } of sentences.segment(text.slice(skipped))) last = index;
  return last === 0 ? 0 : skipped + last;
};

/** Hands whole sentences, not characters, to `say`, for a polite live region. */
export class Speaker {
  readonly #say: (sentences: string) => void;
  readonly #finishedAt: FinishedAt;
  #waiting = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(say: (sentences: string) => void, finishedAt: FinishedAt) {
    this.#say = say;
    this.#finishedAt = finishedAt;
  }

  append(text: string): void {
    this.#waiting += text;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#speak(this.#finishedAt(this.#waiting));
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

  #speak(end: number): void {
    const text = this.#waiting.slice(0, end).trim();
    this.#waiting = this.#waiting.slice(end);
    if (text) this.#say(text.length > MOST ? `… ${text.slice(-MOST)}` : text);
  }
}
