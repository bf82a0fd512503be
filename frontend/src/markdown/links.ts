import { decodeReferences } from "./entities";

const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** What stands in for the address of a link that is not finished (remend's). */
export const UNFINISHED = "streamdown:incomplete-";

/**
 * Return the address that a link of the text may lead to, or undefined when it may lead nowhere.
 *
 * The browser's own parser decides, since it is what will follow the link: it drops the line breaks
 * and control characters that hide a scheme. Only whole addresses count: one relative to this page
 * is of this page's site, which the text knows nothing of. One with a user name in it mostly
 * pretends to be another site's.
 */
export function safeAddress(address: string, { literal = false } = {}): string | undefined {
  const decoded = literal ? address : decodeReferences(address);
  if (!URL.canParse(decoded)) return undefined;
  const url = new URL(decoded);
  if (!SCHEMES.has(url.protocol) || url.username || url.password) return undefined;
  return url.href;
}
