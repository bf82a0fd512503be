/**
 * Grants of streams that others have shared (`#grant=…` beside `?watch=ID`): kept for the tab, for their
 * server and their stream.
 */
import { checkedUrl, type AuthFields } from "../../client";
import { pageStorage } from "../../shared/storage";
import { fragmentValue, tokenFor, withoutFragment } from "../../shared/token";

const LONGEST = 1024;

/** Keep the grant that the page's address has, if it has one, for the stream `id` of a server. */
export function takeGrant(address: string, id: string | undefined): void {
  const grant = fragmentValue(location.hash, "grant");
  if (grant === undefined) return;
  history.replaceState(history.state, "", withoutFragment(location.href, "grant"));
  if (id === undefined || grant.length > LONGEST) return;
  try {
    const storage = pageStorage("sessionStorage");
    storage?.setItem(nameOf(address, id), grant);
    storage?.setItem(nameOf(address, ""), grant);
  } catch {
    // Full, or no address.
  }
}

/** What lets one read a stream of the server at `address`, if there is anything. */
export function grantFor(address: string, id: string): string | undefined {
  try {
    return pageStorage("sessionStorage")?.getItem(nameOf(address, id)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** What is shown to the server at each connection: the token, or else the grant that came last. */
export function shownTo(address: string): AuthFields {
  const token = tokenFor(address);
  if (token !== undefined) return { token };
  const grant = grantFor(address, "");
  return grant === undefined ? {} : { grant };
}

function nameOf(address: string, id: string): string {
  return `textstream grant ${checkedUrl(address)} ${id}`;
}
