import { useEffect, useRef, useState } from "react";
import type { TextStream } from "../../client";
import { useWords } from "../i18n";
import type { Pane } from "../model/pane";
import { Follower } from "../output/Follower";
import { MarkdownText } from "../output/MarkdownText";
import { PlainText } from "../output/PlainText";
import { Spoken } from "../output/Spoken";

interface TextViewProps {
  pane: Pane;
  stream: TextStream;
  number: number;
}

/** The text, which scrolls along until the reader scrolls up. */
export function TextView({ pane, stream, number }: TextViewProps) {
  const words = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follower = useRef<Follower>(undefined);
  const [following, setFollowing] = useState(true);
  useEffect(() => {
    if (!scroller.current || !content.current) return undefined;
    const made = new Follower(scroller.current, content.current, setFollowing);
    follower.current = made;
    return () => {
      made.close();
    };
  }, []);
  return (
    <div className="text">
      <div
        ref={scroller}
        className="scroller"
        tabIndex={0}
        role="region"
        aria-label={words.text(number)}
      >
        <div ref={content} className="content">
          {pane.prompt !== undefined && pane.prompt !== "" && pane.settings.source !== "text" && (
            <p className="asked" dir="auto">
              {pane.cut ? `${pane.prompt}…` : pane.prompt}
            </p>
          )}
          {pane.settings.view === "markdown" ? (
            <MarkdownText stream={stream} />
          ) : (
            <PlainText stream={stream} />
          )}
        </div>
      </div>
      <button
        type="button"
        className="newest"
        hidden={following}
        onClick={() => {
          follower.current?.follow();
          scroller.current?.focus();
        }}
      >
        {words.newest}
      </button>
      <Spoken stream={stream} />
    </div>
  );
}
