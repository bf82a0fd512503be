import type { SourceInfo, Sources } from "../../client";

/** The source that `name` means; "" means the one that the server prefers. */
export function chosen(sources: Sources | undefined, name: string): SourceInfo | undefined {
  const wanted = name === "" ? sources?.preferred : name;
  return sources?.sources.find((source) => source.name === wanted);
}
