import type { Sources } from "../client";

/** Ask the server for its sources. Rejects when it does not answer. */
export async function loadSources(server: string, signal?: AbortSignal): Promise<Sources> {
  const response = await fetch(new URL("/api/sources", server), {
    credentials: "omit",
    ...(signal && { signal }),
  });
  if (!response.ok) throw new Error(`GET /api/sources: ${response.status}`);
  return (await response.json()) as Sources;
}
