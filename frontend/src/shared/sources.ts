import type { Sources } from "../client";

/** Ask the server at a checked address for its sources. Rejects when it does not answer. */
export async function loadSources(server: string, signal?: AbortSignal): Promise<Sources> {
  const response = await fetch(`${server}/api/sources`, {
    credentials: "omit",
    ...(signal && { signal }),
  });
  if (!response.ok) throw new Error(`GET /api/sources: ${response.status}`);
  return (await response.json()) as Sources;
}
