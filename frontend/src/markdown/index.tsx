import { useEffect, useId, useState } from "react";
import { MarkdownBlocks, type Block } from "./blocks";
import { BlockView } from "./BlockView";
import { CodeActionsContext, type CodeActions } from "./CodeBlock";
import { IdPrefixContext } from "./FootnoteView";
import "./markdown.css";

interface StreamingMarkdownProps {
  /** All of the text so far. */
  text: string;
  /** Whether no more will come: what is not closed then stays as it is written. */
  done: boolean;
  /** What is offered beside a block of code, if anything. */
  codeActions?: CodeActions;
}

/**
 * Markdown, rendered while it grows.
 *
 * Safe with any text: see `BlockView`. At most one rendering a frame, of bounded work: a long text
 * that arrives at once is shown over several frames. Elements of finished blocks stay.
 */
export function StreamingMarkdown({ text, done, codeActions }: StreamingMarkdownProps) {
  const id = useId();
  const [parser] = useState(() => new MarkdownBlocks());
  const [blocks, setBlocks] = useState<readonly Block[]>([]);
  useEffect(() => {
    parser.take(text, done);
    let frame = requestAnimationFrame(function show() {
      const isMore = parser.read();
      setBlocks(parser.blocks);
      if (isMore) frame = requestAnimationFrame(show);
    });
    return () => {
      cancelAnimationFrame(frame);
    };
  }, [parser, text, done]);
  return (
    <CodeActionsContext value={codeActions}>
      <IdPrefixContext value={id}>
        {blocks.map((block, index) => (
          <BlockView key={index} {...block} />
        ))}
      </IdPrefixContext>
    </CodeActionsContext>
  );
}
