import { find } from "./find";

const WINDOW_MS = 2000; // the speed shown while streaming is that of the last two seconds

/** Time to the first character, characters per second, and how many so far. */
export class Figures {
  readonly #first = find("first", HTMLElement);
  readonly #speed = find("speed", HTMLElement);
  readonly #count = find("count", HTMLElement);
  #asked = 0;
  #firstAt = 0;
  #lastAt = 0;
  #total = 0;
  #samples: { at: number; total: number }[] = [];
  #timer = 0;

  /** @param asked when the stream was asked for, by `performance.now()` */
  begin(asked: number): void {
    clearInterval(this.#timer);
    this.#asked = asked;
    this.#total = 0;
    this.#samples = [];
    for (const element of [this.#first, this.#speed, this.#count]) element.textContent = "–";
    this.#timer = setInterval(() => {
      this.#update();
    }, 200);
  }

  add(): void {
    this.#lastAt = performance.now();
    this.#total += 1;
    if (this.#total > 1) return;
    this.#firstAt = this.#lastAt;
    this.#first.textContent = seconds(this.#firstAt - this.#asked);
  }

  /** Stop, and show the speed of the whole. */
  end(): void {
    clearInterval(this.#timer);
    this.#count.textContent = this.#total.toLocaleString("en");
    this.#show(this.#total - 1, this.#lastAt - this.#firstAt);
  }

  #update(): void {
    if (this.#total === 0) return;
    const now = performance.now();
    this.#samples.push({ at: now, total: this.#total });
    while (this.#samples.length > WINDOW_MS / 200 + 1) this.#samples.shift();
    this.#count.textContent = this.#total.toLocaleString("en");
    const oldest = this.#samples[0];
    if (oldest) this.#show(this.#total - oldest.total, now - oldest.at);
  }

  #show(units: number, ms: number): void {
    if (ms < 1 || units < 1) return;
    const speed = (units / ms) * 1000;
    this.#speed.textContent = speed.toLocaleString("en", {
      maximumFractionDigits: speed < 100 ? 1 : 0,
    });
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
