/** Parts of what is sent. */
import { StreamError } from "./errors.js";
import type { OwnStream } from "./protocol.js";
import type { TextStream } from "./stream.js";

/** Which stream it is, and the key to it, where that is known. */
export function own(stream: TextStream | string): OwnStream {
  if (typeof stream === "string") return { id: stream };
  const { id, key } = stream;
  if (id === undefined) throw new StreamError("invalid_request", "This stream has not begun yet.");
  return { id, ...defined({ key }) };
}

/** The fields that have a value. */
export function defined<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: NonNullable<T[K]> };
}
