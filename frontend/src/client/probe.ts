/**
 * What is at the server's address, as far as a page may know:
 *
 * - `absent`: nothing answers (or the page may not ask: its security policy, mixed content).
 * - `refusing`: something answers, and not to pages of this origin.
 * - `present`: something answers, and this page may read what.
 */
export type Finding = "absent" | "refusing" | "present";

/** Finds out why a connection failed. Undefined where nothing can be found out. */
export type Probe = (url: string) => Promise<Finding | undefined>;

/**
 * Ask twice. A browser hides from a page why a request to another origin failed: to it, a server
 * that is not there and one that does not accept the origin are the same. But a request whose answer
 * the page may not read (`no-cors`) succeeds as soon as there is a server; and one whose answer it
 * may read, only when the server accepts the origin. (Over WebSocket as over polling, the server
 * checks the same list of origins.)
 */
export const browserProbe: Probe = async (url) => {
  // `location` is not there outside of browsers, where no origin is ever refused.
  const page = (globalThis as { location?: Location }).location;
  if (!page || new URL(url, page.href).origin === page.origin) return undefined;
  const path = new URL("/healthz", url);
  const options: RequestInit = { cache: "no-store", credentials: "omit" };
  const answers = (mode: RequestMode): Promise<boolean> =>
    fetch(path, { ...options, mode }).then(
      () => true,
      () => false,
    );
  if (!(await answers("no-cors"))) return "absent";
  return (await answers("cors")) ? "present" : "refusing";
};
