import { find } from "./find";
import { now } from "./now";

const WINDOW_MS = 2000; // the speed shown while streaming is that of the last two seconds

/** When things happened, by `now()`. */
interface Times {
  asked: number;
  firstAt?: number;
  /** How many characters came with the first. */
  together?: number;
  lastAt?: number;
}

/** Time to the first character, characters per second, how many so far, and how many resumes. */
export class Figures {
  readonly #first = find("first", HTMLElement);
  readonly #speed = find("speed", HTMLElement);
  readonly #count = find("count", HTMLElement);
  readonly #resumes = find("resumes", HTMLElement);
  #times: Times = { asked: 0 };
  #total = 0;
  #samples: { at: number; total: number }[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Begin to count, for a new stream or, with the times that it had, one from before a reload. */
  begin({ asked, firstAt, together, lastAt }: Times): void {
    clearInterval(this.#timer);
    this.#times = {
      asked,
      ...(firstAt && { firstAt }),
      ...(together && { together }),
      ...(lastAt && { lastAt }),
    };
    this.#total = 0;
    this.#samples = [];
    for (const element of [this.#first, this.#speed, this.#count]) element.textContent = "–";
    this.#showFirst();
    this.#timer = setInterval(() => {
      this.#update();
    }, 200);
  }

  /** Count characters that have come. */
  add(count: number): void {
    this.#total += count;
    if (this.#times.firstAt) return;
    Object.assign(this.#times, { firstAt: now(), together: count });
    this.#showFirst();
  }

  /** Take note that text came just now: not when it is shown once more. */
  came(): void {
    this.#times.lastAt = now();
  }

  /** Stop, and show the speed of the whole. */
  end(): void {
    clearInterval(this.#timer);
    this.#count.textContent = this.#total.toLocaleString("en");
    const { firstAt = 0, together = 1, lastAt = 0 } = this.#times;
    this.#show(this.#total - together, lastAt - firstAt);
  }

  showResumes(count: number): void {
    this.#resumes.textContent = count.toLocaleString("en");
  }

  get times(): Times {
    return this.#times;
  }

  #showFirst(): void {
    const { asked, firstAt } = this.#times;
    if (firstAt) this.#first.textContent = seconds(firstAt - asked);
  }

  #update(): void {
    if (this.#total === 0) return;
    const at = now();
    this.#samples.push({ at, total: this.#total });
    while (this.#samples.length > WINDOW_MS / 200 + 1) this.#samples.shift();
    this.#count.textContent = this.#total.toLocaleString("en");
    const oldest = this.#samples[0];
    if (oldest) this.#show(this.#total - oldest.total, at - oldest.at);
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
