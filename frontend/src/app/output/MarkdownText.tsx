import { lazy, Suspense, useEffect, useState } from "react";
import type { TextStream } from "../../client";
import { PlainText } from "./PlainText";

const StreamingMarkdown = lazy(async () => {
  const { StreamingMarkdown } = await import("../../markdown");
  return { default: StreamingMarkdown };
});

/** Between two renderings. A reader sees no difference, and a fast stream leaves the page free. */
const EVERY_MS = 60;

/** The text as Markdown; as it is until the renderer has been loaded. */
export function MarkdownText({ stream }: { stream: TextStream }) {
  const [shown, setShown] = useState(() => read(stream));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (): void => {
      timer = undefined;
      setShown(read(stream));
    };
    const unsubscribe = stream.subscribe(() => {
      timer ??= setTimeout(show, EVERY_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [stream]);
  return (
    <Suspense fallback={<PlainText stream={stream} />}>
      <div className="output markdown">
        <StreamingMarkdown text={shown.text} done={shown.done} />
      </div>
    </Suspense>
  );
}

function read({ text, state }: TextStream): { text: string; done: boolean } {
  return { text, done: state === "ended" || state === "failed" };
}
