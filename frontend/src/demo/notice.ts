import { find } from "./find";

type Tone = "error" | "calm";

/** What a person must know or do, beside the text: an error, or something less. */
export class Notice {
  readonly #box = find("notice", HTMLElement);
  readonly #words = find("error", HTMLElement);
  readonly #again = find("again", HTMLButtonElement);

  constructor(onAgain: () => void) {
    this.#again.addEventListener("click", onAgain);
  }

  /**
   * Say it, in place of what was said before.
   *
   * @param words nothing: take it back
   * @param tone calm: nothing went wrong here, or nothing that is news
   * @param again offers to start the same once more
   */
  say(
    words: string,
    { tone = "error", again = false }: { tone?: Tone; again?: boolean } = {},
  ): void {
    this.#box.dataset.tone = tone;
    this.#words.textContent = words;
    this.#again.hidden = !again;
  }
}
