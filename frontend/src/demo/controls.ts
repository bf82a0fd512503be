import type { Rate, SourceInfo, StartRequest } from "../client";
import { loadSources } from "../shared/sources";
import { find } from "./find";

const RATES: Rate[] = ["auto", 1, 2, 5, 10, 20, 30, 60, 100, 200, 500, 1000, 0];
const TEXT_RATE = 30; // units per second; the server's own default for a text that is there already

/** The form: what to stream, from where, and how fast. */
export class Controls {
  /** Whether the server has told of its sources, or does not answer. */
  settled = false;
  readonly prompt = find("prompt", HTMLTextAreaElement);
  readonly #source = find("source", HTMLSelectElement);
  readonly #rate = find("rate", HTMLInputElement);
  readonly #rateWords = find("rate-words", HTMLOutputElement);
  readonly #unavailable = find("unavailable", HTMLDetailsElement);
  #sources: SourceInfo[] = [];
  #wanted = ""; // the source to choose when the list of them is there
  #touched = false; // the speed was set by hand: keep it when the source changes

  constructor(onRate: (rate: Rate) => void) {
    this.#rate.max = String(RATES.length - 1);
    this.#rate.addEventListener("input", () => {
      this.#touched = true;
      this.#showRate();
      onRate(this.rate);
    });
    this.#source.addEventListener("change", () => {
      this.#showSource();
    });
    this.#showRate();
  }

  get rate(): Rate {
    return RATES[this.#rate.valueAsNumber] ?? "auto";
  }

  /** What to send as `start_stream`. */
  request(): StartRequest {
    const name = this.#source.value;
    const text = this.prompt.value;
    return {
      ...(name && { source: name }),
      ...(text.trim() && (name === "text" ? { text } : { prompt: text })),
      unit: "char",
      rate: this.rate,
    };
  }

  /** Whether the source must have a prompt, and there is none. */
  get lacksPrompt(): boolean {
    return Boolean(this.#chosen?.needs_prompt) && !this.prompt.value.trim();
  }

  /** Fill in a sample: a prompt for the preferred source, or a source that needs none. */
  fill(sample: { source?: string; prompt?: string }): void {
    this.#source.value = sample.source ?? document.body.dataset.preferred ?? "";
    this.prompt.value = sample.prompt ?? "";
    this.#showSource();
  }

  /** Fill in what was asked for before a reload. */
  restore({ source = "", prompt, text }: StartRequest, rate: Rate): void {
    // What was typed by now is newer.
    if (this.prompt.value === "") this.prompt.value = text ?? prompt ?? "";
    this.#wanted = source;
    this.#touched = true;
    this.#rate.valueAsNumber = Math.max(0, RATES.indexOf(rate));
    this.#showRate();
  }

  /** Ask the server which sources it has. The choice made before, if any, stays. */
  async load(server: string): Promise<void> {
    const { preferred, sources } = await loadSources(server).finally(() => {
      this.settled = true;
    });
    const before = this.#sources.length > 0 ? this.#source.value : this.#wanted || preferred;
    document.body.dataset.preferred = preferred;
    this.#sources = sources;
    this.#source.replaceChildren(...sources.map(option));
    this.#source.value = sources.some(({ name }) => name === before) ? before : preferred;
    this.#showUnavailable();
    this.#showSource();
  }

  get #chosen(): SourceInfo | undefined {
    return this.#sources.find(({ name }) => name === this.#source.value);
  }

  #showSource(): void {
    const source = this.#chosen;
    if (!source) return;
    this.#source.title = source.description;
    this.prompt.placeholder = source.needs_prompt
      ? "Type a prompt…"
      : source.name === "text"
        ? "Type a text, or leave this empty for the built-in sample…"
        : "Type a prompt, or leave this empty…";
    if (this.#touched) return;
    this.#rate.valueAsNumber = RATES.indexOf(source.live ? "auto" : TEXT_RATE);
    this.#showRate();
  }

  #showUnavailable(): void {
    const missing = this.#sources.filter(({ available }) => !available);
    const names = missing.map(({ name }) => name).join(", ");
    const reasons = missing.map(reason);
    const summary = document.createElement("summary");
    summary.textContent = `Why not ${names}?`;
    this.#unavailable.replaceChildren(summary, ...reasons);
    this.#unavailable.hidden = missing.length === 0;
  }

  #showRate(): void {
    const { rate } = this;
    const words =
      rate === "auto" ? "automatic" : rate === 0 ? "no limit" : `${rate.toLocaleString("en")}/s`;
    this.#rateWords.value = words;
    this.#rate.setAttribute("aria-valuetext", words.replace("/s", " characters per second"));
  }
}

function option({ name, available }: SourceInfo): HTMLOptionElement {
  const element = new Option(available ? name : `${name} (not available)`, name);
  element.disabled = !available;
  return element;
}

function reason({ error }: SourceInfo): HTMLElement {
  const element = document.createElement("p");
  element.textContent = error ?? "The server does not say.";
  return element;
}
