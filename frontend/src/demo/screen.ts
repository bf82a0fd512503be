import { byMarks, Speaker } from "../shared/speaker";
import { Figures } from "./figures";
import { find } from "./find";
import { Output } from "./output";

export type State = "idle" | "waiting" | "streaming" | "ended";

/** What the page shows of a stream: its text, its figures, and how it fares. */
export class Screen {
  readonly figures = new Figures();
  readonly #reader = find("reader", HTMLElement);
  readonly #output = new Output(
    find("output", HTMLElement),
    this.#reader,
    find("newest", HTMLButtonElement),
  );
  readonly #spoken = find("spoken", HTMLElement);
  readonly #speaker = new Speaker((words) => {
    this.#spoken.textContent = words;
  }, byMarks);
  readonly #state = find("state", HTMLElement);
  readonly #stop = find("stop", HTMLButtonElement);
  readonly #welcome = find("welcome", HTMLElement);

  /** Make room for a text. */
  clear(): void {
    this.#output.clear();
    this.#speaker.clear();
    this.#welcome.hidden = true;
  }

  /**
   * @param characters how many the text has, as people count them
   * @param replayed whether all of it was here before: then it is not read out again
   */
  append(text: string, characters: number, replayed: boolean): void {
    this.#output.append(text);
    this.figures.add(characters);
    if (replayed) return;
    this.#speaker.append(text);
    this.figures.came();
  }

  /** Mark the place where a part is missing. */
  gap(words: string): void {
    this.#output.gap(words);
  }

  end(): void {
    this.#output.flush();
    this.figures.end();
    this.#speaker.end();
  }

  show(state: State, words: string): void {
    document.body.dataset.stream = state;
    this.#state.textContent = words;
    this.#stop.ariaDisabled = String(state === "idle" || state === "ended");
    if (state === "idle") this.#welcome.hidden = false;
  }

  focus(): void {
    this.#reader.focus();
  }
}
