import { Credentials, type Auth } from "./auth.js";
import { DEFAULT_BACKOFF, type Backoff } from "./backoff.js";
import { systemClock, type Clock } from "./clock.js";
import { StreamError } from "./errors.js";
import { browserProbe, type Probe } from "./probe.js";
import type { SessionOptions } from "./session.js";
import { socketIoWire } from "./socketio.js";
import type { StorageLike } from "./store.js";
import type { WireFactory } from "./wire.js";

/** All of them may be left out. Durations are in milliseconds. */
export interface ClientOptions {
  /** In the order in which to try them. Default: WebSocket, then polling. */
  transports?: readonly ("websocket" | "polling")[];
  /** Where the streams are remembered for `restore`. Default: the page's `sessionStorage`. */
  storage?: StorageLike | null;
  /** How many of them, those that were read last. Default: 50. With 0 only the client's own key is kept. */
  remember?: number;
  /** The waits between tries to connect. Default: up to 200 at first, 5,000 at most. */
  backoff?: Partial<Backoff>;
  /** For a handshake, and for answers, which have more if they are slow to come. Default: 10,000. */
  timeout?: number;
  /**
   * Without a connection for so long, streams fail with `unreachable`. The client goes on trying.
   * Default: 360,000, which is how long a server keeps a stream that nobody reads.
   */
  giveUpAfter?: number;
  /**
   * Where Socket.IO is on the server's origin, if not at `socket.io/` under the address: with
   * `https://example.org/stream` that is `/stream/socket.io/`.
   */
  path?: string;
  /**
   * Sent at each CONNECT, for servers that ask who you are. Beside it goes a `client_key`, a secret that
   * is made up once and kept in `storage`: by it the server knows, after a lost connection or a reload,
   * that the streams are yours.
   *
   * A function is called for each connection: `auth: async () => ({ token: await newToken() })`. When the
   * server does not take what it gave, it is called once more; when it does not take that either, streams
   * fail with `unauthorized`, and nothing is tried again until `retryNow`. A token that expires while it is
   * connected is one more lost connection.
   */
  auth?: Auth;
  /** For tests. */
  wire?: WireFactory;
  clock?: Clock;
  random?: () => number;
  probe?: Probe;
}

/** The options with the defaults for those that were left out; `url` is checked. */
export function sessionOptions(url: string, options: ClientOptions): SessionOptions {
  return {
    url,
    transports: options.transports ?? ["websocket", "polling"],
    backoff: { ...DEFAULT_BACKOFF, ...options.backoff },
    timeout: options.timeout ?? 10_000,
    giveUpAfter: options.giveUpAfter ?? 360_000,
    path: options.path ?? socketIoPath(url),
    credentials: new Credentials(options.auth),
    factory: options.wire ?? socketIoWire,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    probe: options.probe ?? browserProbe,
  };
}

/**
 * What a server has of its own: whoever pastes one of these addresses means the server. The Python
 * client has the same (docs/python-client.md).
 */
const OWN =
  /\/(?:app\/index\.html|app|lab|index\.html|socket\.io|api\/sources|api\/connection|healthz|readyz|metrics)$/;

/**
 * `url` as an origin and a path prefix, without a slash at its end: `https://example.org/stream`.
 *
 * The path is where a proxy serves the whole of the server. Its last part goes where it is a page or
 * an endpoint of the server's own; a server that a proxy has under `/app/` is written
 * `/app/socket.io/`. `ws:` and `wss:` are `http:` and `https:`. Query, fragment and credentials do not
 * count. In a page, what begins with a slash is on the page's own origin. Throws `invalid_request`
 * when it is no address.
 */
export function checkedUrl(url: string): string {
  // Nothing else is read as a part of the page's own address: "127.0.0.1:5002" would be, and the
  // page would silently use the wrong server.
  const base = url.startsWith("/")
    ? (globalThis as { location?: Location }).location?.href
    : undefined;
  let parsed;
  try {
    parsed = new URL(url.trim().replace(/^ws(?=s?:)/i, "http"), base);
  } catch {
    parsed = undefined;
  }
  if (parsed && /^https?:$/.test(parsed.protocol)) {
    const segments = parsed.pathname.split("/").filter((segment) => segment !== "");
    return (
      parsed.origin +
      segments
        .map((segment) => `/${segment}`)
        .join("")
        .replace(OWN, "")
    );
  }
  throw new StreamError(
    "invalid_request",
    `url: an address looks like "http://127.0.0.1:5002", or "https://example.org/stream" ` +
      `behind a proxy, not "${url}"`,
  );
}

/**
 * The checked address of a server. Where `url` has no path and the path of Socket.IO is named, such as
 * `/stream/socket.io/`, what is in front of it is the prefix of all else too.
 */
export function serverUrl(url: string, path = ""): string {
  const checked = checkedUrl(url);
  const front = /^(\/.+)\/socket\.io\/?$/.exec(path)?.[1] ?? "";
  return checked === new URL(checked).origin ? checked + front : checked;
}

/** An address that `checkedUrl` makes `checked` of: another one where its prefix ends as a page does. */
export function writtenUrl(checked: string): string {
  return checkedUrl(checked) === checked ? checked : `${checked}/socket.io/`;
}

/** Where Socket.IO is on the origin of a server, of which `url` is the checked address. */
export function socketIoPath(url: string): string {
  return new URL(`${url}/socket.io/`).pathname;
}
