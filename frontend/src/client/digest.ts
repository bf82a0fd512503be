/** 128 random bits in hex: an id that nobody else has, and that nobody guesses. */
export function randomId(): string {
  // Not crypto.randomUUID: pages on plain HTTP, other than from localhost, lack it.
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

/** The SHA-256 of the text in UTF-8, in hex; undefined where the browser offers none. */
export async function sha256(text: string): Promise<string | undefined> {
  // The type says that it is always there; on plain HTTP, other than from localhost, it is not.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return undefined;
  return hex(new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
