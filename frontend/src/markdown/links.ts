import { decodeReferences } from "./entities";
import { hasCjk } from "./cjk";

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

const ADDRESS = /^(?:https?:\/\/|ftp:\/\/|www\.)[^\s<]*/iu;
/** Full-width punctuation, and quotation marks and dashes of the width of the text around them. */
const END = /[“”‘’…—]|(?=[\p{P}\p{S}])[\u2E80-\u303E\uFE10-\uFE1F\uFE30-\uFE6F\uFF01-\uFFEE]/u;
/** A host with letters of other scripts has them between its dots, not behind the last one. */
const HOST = /^(?:[a-z]+:\/\/)?[a-z\d-]+(?:\.[a-z\d-]+)*(?::\d+)?/iu;
const MORE_OF_HOST = /^[\p{L}\p{N}-]*\.[\p{L}\p{N}]/u;

/**
 * Cut `source`, which is Chinese, Japanese or Korean, behind the address that it begins with.
 *
 * There, no space ends an address, but full-width punctuation does, and behind a host the next
 * letter of these scripts. In a path letters are kept: `https://zh.wikipedia.org/wiki/维基百科`.
 */
export function addressIn(source: string): string {
  const [address = ""] = ADDRESS.exec(source) ?? [];
  if (!address) return source;
  const [host = ""] = HOST.exec(address) ?? [];
  const rest = address.slice(host.length);
  if (hasCjk(rest.slice(0, 2)) && !hasCjk(host) && /^\p{L}/u.test(rest) && !MORE_OF_HOST.test(rest))
    return host;
  const end = address.search(END);
  return end < 0 ? address : address.slice(0, end);
}
