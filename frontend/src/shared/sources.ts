import type { Sources } from "../client";
import { tokenFor } from "./token";

/** Ask the server at a checked address for its sources. Rejects when it does not answer. */
export async function loadSources(server: string, signal?: AbortSignal): Promise<Sources> {
  const token = tokenFor(server);
  const response = await fetch(`${server}/api/sources`, {
    credentials: "omit",
    ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
    ...(signal && { signal }),
  });
  if (!response.ok) throw new Error(`GET /api/sources: ${response.status}`);
  return (await response.json()) as Sources;
}
