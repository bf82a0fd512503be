import { useEffect, useState, type ReactNode } from "react";
import { isOver, type TextStream } from "../../client";
import { CopyButton } from "../components/CopyButton";
import { useWords } from "../i18n";
import { laterMarkdown, useLater } from "../later";
import { PlainText } from "./PlainText";

/** Between two renderings. A reader sees no difference, and a fast stream leaves the page free. */
const EVERY_MS = 60;

/** The text as Markdown; as it is until the renderer has been loaded, and where it cannot be. */
export function MarkdownText({ stream }: { stream: TextStream }) {
  const words = useWords();
  const { part, failed } = useLater(laterMarkdown);
  const { text, done } = useText(stream);
  if (part)
    return (
      <div className="output markdown">
        <part.StreamingMarkdown text={text} done={done} codeActions={copyCode} />
      </div>
    );
  return (
    <>
      {failed && (
        <p role="status" className="note">
          {words.notLoaded}
        </p>
      )}
      <PlainText stream={stream} />
    </>
  );
}

function copyCode(code: string): ReactNode {
  return <CopyCode code={code} />;
}

function CopyCode({ code }: { code: string }) {
  const words = useWords();
  return <CopyButton label={words.copyCode} text={() => code} />;
}

/** All of the text, now and then. */
function useText(stream: TextStream): { text: string; done: boolean } {
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
  return shown;
}

function read({ text, state }: TextStream): { text: string; done: boolean } {
  return { text, done: isOver(state) };
}
