import type { Token, Tokens } from "marked";
import { memo, type ReactNode } from "react";
import type { Block } from "./blocks";
import { CodeBlock, type Outermost } from "./CodeBlock";
import { FootnoteView } from "./FootnoteView";
import type { Footnote } from "./footnotes";
import { inline } from "./inline";

/** One block. A finished one is never rendered again. */
export const BlockView = memo(
  function BlockView({ token, level, continued, goesOn }: Block) {
    const outermost: Outermost = { dir: "auto", "data-continued": continued || undefined };
    if (token.type !== "code") return block(token, level, outermost);
    return (
      <CodeBlock token={token as Tokens.Code} part={continued || goesOn} outermost={outermost} />
    );
  },
  (before, after) =>
    before.token === after.token && before.level === after.level && before.goesOn === after.goesOn,
);

/**
 * The kinds of blocks that there are, each with the element that it is: there are no others.
 *
 * React makes elements and text of it, never HTML, and no attribute takes its name or, but for the
 * address of a link, its value from the text: nothing is left to sanitise. Footnotes are counted;
 * what the text calls them is in no id.
 */
function block(token: Token, level: number, outermost: Outermost = {}): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      return heading(token as Tokens.Heading, level, outermost);
    case "paragraph":
      return <p {...outermost}>{inline((token as Tokens.Paragraph).tokens)}</p>;
    case "blockquote":
      return (
        <blockquote {...outermost}>{blocks((token as Tokens.Blockquote).tokens, level)}</blockquote>
      );
    case "list":
      return list(token as Tokens.List, level, outermost);
    case "code":
      return <CodeBlock token={token as Tokens.Code} outermost={outermost} />;
    case "table":
      return table(token as Tokens.Table, outermost);
    case "footnote":
      return (
        <FootnoteView footnote={token as Footnote} outermost={outermost}>
          {blocks((token as Footnote).tokens, level)}
        </FootnoteView>
      );
    case "hr":
      return <hr {...outermost} dir={undefined} />;
    default:
      return <p {...outermost}>{inline([token])}</p>;
  }
}

function blocks(tokens: readonly Token[], level: number): ReactNode[] {
  return tokens.map((token, index) => <Nested key={index} token={token} level={level} />);
}

/** A block within another one; its own component, so that React counts the depth, not the stack. */
function Nested({ token, level }: { token: Token; level: number }): ReactNode {
  return block(token, level);
}

function heading(
  { depth, tokens }: Tokens.Heading,
  level: number,
  outermost: Outermost,
): ReactNode {
  const Heading = `h${Math.min(Math.max(level, 2), 6)}` as "h2" | "h3" | "h4" | "h5" | "h6";
  return (
    <Heading {...outermost} data-depth={depth}>
      {inline(tokens)}
    </Heading>
  );
}

function list({ ordered, start, items }: Tokens.List, level: number, outermost: Outermost) {
  const content = items.map((item, index) => (
    <li key={index} className={item.task ? "task" : undefined}>
      {item.tokens.map((token, number) => listed(token, number, level))}
    </li>
  ));
  if (!ordered) return <ul {...outermost}>{content}</ul>;
  return (
    <ol {...outermost} start={typeof start === "number" ? start : undefined}>
      {content}
    </ol>
  );
}

/** What is in an item: text as it is in a tight list, blocks in others. */
function listed(token: Token, index: number, level: number): ReactNode {
  // A character, not an input: the box is nothing that a reader could use.
  if (token.type === "checkbox") return (token as Tokens.Checkbox).checked ? "☑ " : "☐ ";
  if (token.type === "text") return <span key={index}>{inline([token])}</span>;
  return <Nested key={index} token={token} level={level} />;
}

function table({ header, rows }: Tokens.Table, outermost: Outermost) {
  const cells = (row: Tokens.TableCell[], Cell: "td" | "th"): ReactNode[] =>
    row.map(({ tokens, align }, index) => (
      <Cell key={index} data-align={align ?? undefined}>
        {inline(tokens, { isCell: true })}
      </Cell>
    ));
  return (
    <div {...outermost} className="table" tabIndex={0}>
      <table>
        <thead>
          <tr>{cells(header, "th")}</tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>{cells(row, "td")}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
