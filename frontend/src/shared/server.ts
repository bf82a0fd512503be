/**
 * Where the page is under its server: `./` at the root of it, `../` in a folder.
 *
 * A server behind a proxy does not know under which path it is served; the page knows its own.
 */
export type Home = "./" | "../";

/** The server that the page asks without being told: the one named at build time, else its own. */
export function ownServer(location: Pick<Location, "href">, home: Home): string {
  const built = import.meta.env.VITE_SERVER;
  if (built !== undefined && built !== "") return built;
  // Not the folder alone: a proxy may have the server under /app/, which is a page of others.
  return new URL(`${home}socket.io/`, location.href).href;
}

/** The server's address: `?server=`, else (also where that is empty) the page's own. */
export function serverAddress(location: Pick<Location, "search" | "href">, home: Home): string {
  const named = new URLSearchParams(location.search).get("server") ?? "";
  return named === "" ? ownServer(location, home) : named;
}

const TRANSPORTS = ["websocket", "polling"] as const;
type Transport = (typeof TRANSPORTS)[number];

/** `?transports=polling`, or several in the order in which to try them; undefined: as always. */
export function chosenTransports(search: string): Transport[] | undefined {
  const named = new URLSearchParams(search).get("transports")?.split(",") ?? [];
  const known = named.filter((name): name is Transport => TRANSPORTS.some((one) => one === name));
  return known.length > 0 ? known : undefined;
}
