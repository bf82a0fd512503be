import type { SourceInfo, Sources } from "../../client";

/** Ask the server for its sources. Rejects when it does not answer. */
export async function loadSources(server: string, signal: AbortSignal): Promise<Sources> {
  const response = await fetch(new URL("/api/sources", server), { signal, credentials: "omit" });
  if (!response.ok) throw new Error(`GET /api/sources: ${response.status}`);
  return (await response.json()) as Sources;
}

/** The source that `name` means; "" means the one that the server prefers. */
export function chosen(sources: Sources | undefined, name: string): SourceInfo | undefined {
  const wanted = name === "" ? sources?.preferred : name;
  return sources?.sources.find((source) => source.name === wanted);
}
