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

// Of the session, not localStorage: that is shared by all tabs, and each has a stream of its own.
const KEY = "textstream";

// A start that nobody has answered for so long, such as before the browser was closed for a night,
// is not sent again: by then the server would take it for a new one.
const UNANSWERED_MS = 60_000;

export function remember(record: Remembered): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(record));
  } catch {
    // Full, or switched off: this stream will not survive a reload, and no older one in its place.
    forget();
  }
}

export function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Switched off.
  }
}

export function recall(): Remembered | undefined {
  try {
    const record: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (!isRemembered(record)) return undefined;
    return record.id !== undefined || now() - record.asked < UNANSWERED_MS ? record : undefined;
  } catch {
    return undefined;
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
