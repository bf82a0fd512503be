import { createContext, useContext, type MouseEvent, type ReactNode } from "react";
import type { Outermost } from "./CodeBlock";
import type { Footnote, FootnoteReference } from "./footnotes";

/** What the ids of a text begin with: there may be several texts on a page. None of it is theirs. */
export const IdPrefixContext = createContext("");

interface ReferenceViewProps extends Pick<FootnoteReference, "number" | "place"> {
  /** In a link there is no other, so its number is all there is. */
  isInLink: boolean;
}

/** The number of a footnote, which leads to it. It is the same before the footnote has come. */
export function ReferenceView({ number, place, isInLink }: ReferenceViewProps) {
  const prefix = useContext(IdPrefixContext);
  const id = `${prefix}reference-${place}`;
  if (isInLink) return <sup id={id}>{number}</sup>;
  return (
    <sup>
      <a id={id} href={`#${prefix}footnote-${number}`} role="doc-noteref" onClick={goTo}>
        {number}
      </a>
    </sup>
  );
}

interface FootnoteViewProps {
  footnote: Footnote;
  outermost: Outermost;
  children: ReactNode;
}

/**
 * A footnote, where the text has it, with links back.
 *
 * Not in a list at the end of the text: its end moves while it grows, and footnotes with it.
 */
export function FootnoteView({ footnote, outermost, children }: FootnoteViewProps) {
  const prefix = useContext(IdPrefixContext);
  const { number, isRepeated, references } = footnote;
  return (
    <div
      {...outermost}
      className="footnote"
      id={isRepeated ? undefined : `${prefix}footnote-${number}`}
      role="doc-footnote"
      tabIndex={-1}
    >
      <span className="footnote-number">{number}.</span>
      {children}
      {references.length > 0 && (
        <span className="footnote-back">
          {references.map((place, index) => (
            <a key={place} href={`#${prefix}reference-${place}`} role="doc-backlink" onClick={goTo}>
              ↩{index > 0 && <sup>{index + 1}</sup>}
            </a>
          ))}
        </span>
      )}
    </div>
  );
}

/** Not by the page's address, which says what it shows and not where. */
function goTo(event: MouseEvent<HTMLAnchorElement>): void {
  event.preventDefault();
  const target = document.getElementById(event.currentTarget.hash.slice(1));
  target?.scrollIntoView({ block: "center" });
  target?.focus({ preventScroll: true });
}
