/**
 * What is at the server's address, as far as a page may know:
 *
 * - `absent`: nothing answers (or the page may not ask: its security policy, mixed content).
 * - `refusing`: something answers, and not to pages of this origin.
 * - `present`: something answers, and this page may read what.
 */
export type Finding = "absent" | "refusing" | "present";

/**
 * Finds out why a connection to `url` failed, with at most `timeout` ms for each question. Undefined
 * where nothing can be found out. The address is a checked one: nothing but a prefix in its path.
 */
export type Probe = (url: string, timeout: number) => Promise<Finding | undefined>;

/**
 * Ask twice. A browser hides from a page why a request to another origin failed: to it, a server
 * that is not there and one that does not accept the origin are the same. But a request whose answer
 * the page may not read (`no-cors`) succeeds as soon as there is a server; and one whose answer it
 * may read, only when the server accepts the origin. (Over WebSocket as over polling, the server
 * checks the same list of origins.)
 */
export const browserProbe: Probe = async (url, timeout) => {
  // `location` is not there outside of browsers, where no origin is ever refused.
  const page = (globalThis as { location?: Location }).location;
  if (!page || new URL(url, page.href).origin === page.origin) return undefined;
  const options: RequestInit = { cache: "no-store", credentials: "omit" };
  const ask = (mode: RequestMode): Promise<"yes" | "no" | "silence"> => {
    const signal = AbortSignal.timeout(timeout); // else packets that are swallowed take minutes
    return fetch(`${url}/healthz`, { ...options, mode, signal }).then(
      () => "yes",
      () => (signal.aborted ? "silence" : "no"),
    );
  };
  if ((await ask("no-cors")) !== "yes") return "absent";
  const readable = await ask("cors");
  if (readable === "silence") return undefined; // No answer is no refusal.
  return readable === "yes" ? "present" : "refusing";
};
