import { now } from "./clock";
import type { Rate, StartStream } from "./protocol";

/** All that it takes to have a stream back after a reload: the text itself is on the server. */
export interface Remembered {
  request: StartStream; // as it was sent: with its request_id it may be sent again
  rate: Rate; // as it is now
  asked: number; // when, by `now()`
  id?: string; // of the stream, once the server has told it
  resumes: number;
  firstAt?: number; // when the first character came, by `now()`
  lastAt?: number; // the same for the last one
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

export function recall(): Remembered | null {
  try {
    const record = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Remembered | null;
    return record?.id || (record && now() - record.asked < UNANSWERED_MS) ? record : null;
  } catch {
    return null;
  }
}
