import type { Token, Tokens } from "marked";
import { Fragment, type ReactNode } from "react";
import { decodeReferences } from "./entities";
import { ReferenceView } from "./FootnoteView";
import type { FootnoteReference } from "./footnotes";
import { safeAddress, UNFINISHED } from "./links";

interface Place {
  /** A link holds no other. */
  isLink?: boolean;
  /** Cells have no other way to begin a line than the HTML for it. */
  isCell?: boolean;
}

/** What a paragraph, a heading, a cell is made of: the kinds of inline text that there are. */
export function inline(tokens: readonly Token[], place: Place = {}): ReactNode[] {
  return tokens.map((token, index) => <Fragment key={index}>{one(token, place)}</Fragment>);
}

function one(token: Token, place: Place): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inline((token as Tokens.Strong).tokens, place)}</strong>;
    case "em":
      return <em>{inline((token as Tokens.Em).tokens, place)}</em>;
    case "del":
      return <del>{inline((token as Tokens.Del).tokens, place)}</del>;
    case "codespan":
      return <code dir="ltr">{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "escape":
      return (token as Tokens.Escape).text;
    case "link":
      return link(token as Tokens.Link, place);
    case "image":
      return image(token as Tokens.Image, place);
    case "footnoteReference":
      return reference(token as FootnoteReference, place);
    case "text":
      return text(token as Tokens.Text, place);
    default:
      return token.raw;
  }
}

function text({ raw, tokens }: Tokens.Text, place: Place): ReactNode {
  if (tokens) return inline(tokens, place);
  if (!place.isCell || !raw.includes("<")) return decodeReferences(raw);
  return raw.split(/<br ?\/?>/iu).map((line, index) => (
    <Fragment key={index}>
      {index > 0 && <br />}
      {decodeReferences(line)}
    </Fragment>
  ));
}

function link({ href, autolink = false, text, tokens }: Tokens.Link, place: Place): ReactNode {
  const content = autolink ? text : inline(tokens, { ...place, isLink: true });
  if (place.isLink) return content;
  return <Anchor address={href} isLiteral={autolink} content={content} />;
}

function reference({ isMissing, raw, number, place }: FootnoteReference, { isLink }: Place) {
  if (isMissing) return raw;
  return <ReferenceView number={number} place={place} isInLink={isLink ?? false} />;
}

/** A link to the picture. To load it would tell its server who reads this text, and when. */
function image({ href, tokens, text }: Tokens.Image, place: Place): ReactNode {
  const described = text ? inline(tokens, { ...place, isLink: true }) : undefined;
  if (place.isLink) return described;
  const content = <>🖼 {described ?? safeAddress(href) ?? ""}</>;
  return <Anchor address={href} content={content} />;
}

interface AnchorProps {
  address: string;
  isLiteral?: boolean;
  content: ReactNode;
}

/** A link that opens elsewhere, and tells the page there nothing about this one. */
function Anchor({ address, isLiteral = false, content }: AnchorProps): ReactNode {
  if (address.startsWith(UNFINISHED)) return <a>{content}</a>;
  const safe = safeAddress(address, { literal: isLiteral });
  if (safe === undefined) return <span>{content}</span>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer nofollow ugc">
      {content}
    </a>
  );
}
