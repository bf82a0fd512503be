import { find } from "./find";

interface Saying {
  detail?: string;
  tone?: "error" | "calm";
  again?: boolean;
}

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
   * @param detail what the server says of it
   * @param tone calm: nothing went wrong here, or nothing that is news
   * @param again offers to start the same once more
   */
  say(words: string, { detail = "", tone = "error", again = false }: Saying = {}): void {
    this.#box.dataset.tone = tone;
    this.#words.textContent = words;
    if (detail) {
      const small = document.createElement("small");
      small.textContent = detail;
      this.#words.append(" ", small);
    }
    this.#again.hidden = !again;
  }
}
