/**
 * The token that a server asks for: taken from the page's address once (`#token=…`), and kept for that
 * server only, as long as the tab is there.
 *
 * In the fragment, which no server and no log gets to see. It is taken off the address at once, so that
 * it is neither copied with it nor kept in the history.
 */
import { checkedUrl, type AuthFields } from "../client";
import { pageStorage } from "./storage";

const LONGEST = 8192;

/** An entry of the page's fragment: `#token=…&…`. */
export function fragmentValue(hash: string, name: string): string | undefined {
  const value = new URLSearchParams(hash.replace(/^#/, "")).get(name);
  return value === null || value === "" ? undefined : value;
}

/** The page's address without an entry of its fragment. */
export function withoutFragment(page: string, name: string): string {
  const link = new URL(page);
  const entries = new URLSearchParams(link.hash.replace(/^#/, ""));
  entries.delete(name);
  link.hash = entries.toString();
  return link.href;
}

/** Keep the token that the address has, if it has one, for the server at `address`. */
export function takeToken(address: string): boolean {
  const token = fragmentValue(location.hash, "token");
  if (token === undefined) return false;
  history.replaceState(history.state, "", withoutFragment(location.href, "token"));
  if (token.length > LONGEST) return false;
  try {
    pageStorage("sessionStorage")?.setItem(nameOf(address), token);
  } catch {
    return false; // Full, or no address.
  }
  return true;
}

/** The token for the server at `address`, if there is one. */
export function tokenFor(address: string): string | undefined {
  try {
    return pageStorage("sessionStorage")?.getItem(nameOf(address)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What is shown to the server at `address`, at each connection. */
export function authFor(address: string): () => AuthFields {
  return () => {
    const token = tokenFor(address);
    return token === undefined ? {} : { token };
  };
}

/** Take the tokens of links that are opened in the same tab, too. */
export function followTokens(address: string, onToken: () => void): void {
  addEventListener("hashchange", () => {
    if (takeToken(address)) onToken();
  });
}

function nameOf(address: string): string {
  return `textstream token ${checkedUrl(address)}`;
}
