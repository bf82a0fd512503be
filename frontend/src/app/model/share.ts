/** Links to a stream: `?watch=ID`, and `&server=` where the page does not know it by itself. */
import { checkedUrl, writtenUrl } from "../../client";

/** The stream that the page's address asks to watch. */
export function watchedId(search: string): string | undefined {
  const id = new URLSearchParams(search).get("watch");
  return id !== null && /^[\w-]{1,128}$/.test(id) ? id : undefined;
}

/**
 * The link with which another device can watch the stream.
 *
 * With `grant`, from the stream's owner, where the id alone does not open it. `server` is a checked address, `own` the server that the page would ask without being told (its own, or the build's).
 */
export function watchLink(
  page: string,
  id: string,
  server: string,
  own: string,
  grant?: string,
): string {
  const link = new URL(page);
  // In the fragment, which no server and no log gets to see.
  link.hash = grant === undefined ? "" : new URLSearchParams({ grant }).toString();
  link.search = "";
  link.searchParams.set("watch", id);
  if (server !== checkedUrl(own)) link.searchParams.set("server", writtenUrl(server));
  return link.href;
}

/** The page's address without the stream. */
export function withoutWatch(page: string): string {
  const link = new URL(page);
  link.searchParams.delete("watch");
  return link.href;
}
