import type { Rate, StartRequest } from "../client";
import { now } from "./now";

/** All that it takes to have a stream back after a reload: the text itself is on the server. */
export interface Remembered {
  request: StartRequest; // as it was sent: with its request_id it may be sent again
  rate: Rate; // as it is now
  asked: number; // when, by `now()`
  id?: string; // of the stream, once the server has told it
  resumes: number;
  firstAt?: number; // when the first character came, by `now()`
  together?: number; // how many came with the first
  lastAt?: number; // when the last one came
  ended?: boolean;
}

// A start that nobody has answered for so long, such as before the browser was closed for a night,
// is not sent again: by then the server would take it for a new one.
const UNANSWERED_MS = 60_000;

/** The stream of this page, of the session: localStorage is shared by all tabs. */
export class Memory {
  // By server: on one origin there may be several, each under its own path.
  readonly #key: string;

  /** `server` is its checked address. */
  constructor(server: string) {
    this.#key = `textstream demo ${server}`;
  }

  remember(record: Remembered): void {
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(record));
    } catch {
      // Full, or switched off: this stream will not survive a reload, and no older one in its place.
      this.forget();
    }
  }

  forget(): void {
    try {
      sessionStorage.removeItem(this.#key);
    } catch {
      // Switched off.
    }
  }

  recall(): Remembered | undefined {
    try {
      const record: unknown = JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
      if (!isRemembered(record)) return undefined;
      return record.id !== undefined || now() - record.asked < UNANSWERED_MS ? record : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Another release of the page may have written it. */
function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== "object" || value === null) return false;
  const { request, rate, asked, id, resumes } = value as Partial<Record<keyof Remembered, unknown>>;
  return (
    typeof request === "object" &&
    request !== null &&
    (rate === "auto" || typeof rate === "number") &&
    typeof asked === "number" &&
    typeof resumes === "number" &&
    (id === undefined || typeof id === "string")
  );
}
