import type { TextStream } from "../../client";

/** What takes a text as it grows, and can begin anew. */
export interface TextSink {
  append(text: string): void;
  clear(): void;
  /** Nothing follows. */
  end?(): void;
}

/** Hand what arrives from now on to `sink`, until the function that is returned is called. */
export function followText(stream: TextStream, sink: TextSink): () => void {
  const unsubscribe = [
    stream.on("text", ({ text }) => {
      sink.append(text);
    }),
    stream.on("reset", () => {
      sink.clear();
    }),
    stream.on("end", () => {
      sink.end?.();
    }),
  ];
  return () => {
    for (const off of unsubscribe) off();
    sink.clear();
  };
}
