/** The SHA-256 of a text in UTF-8, in hex; undefined where the browser does not offer it. */
export async function sha256(text: string): Promise<string | undefined> {
  // The type says that it is always there; on plain HTTP, other than from localhost, it is not.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return undefined;
  return hex(new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** 32 hex digits by chance. Not crypto.randomUUID(): plain HTTP does not have that either. */
export function randomId(): string {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
