import { characterEntities } from "character-entities";

const REFERENCE = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z\d]{1,31}));/gu;

/**
 * Decode character references, such as `&amp;` and `&#65;`, as CommonMark does.
 *
 * From a table. The usual way, to let the browser parse a piece of HTML, is not used on a text that
 * others wrote.
 */
export function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (reference, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return fromCode(parseInt(decimal, 10));
    if (hex !== undefined) return fromCode(parseInt(hex, 16));
    if (name === undefined || !Object.hasOwn(characterEntities, name)) return reference;
    return characterEntities[name] ?? reference;
  });
}

function fromCode(code: number): string {
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : "\uFFFD";
}
