/** The server that the page asks without being told: the one named at build time, else its own. */
export function ownServer(location: Pick<Location, "origin">): string {
  const built = import.meta.env.VITE_SERVER;
  return built === undefined || built === "" ? location.origin : built;
}

/** The server's address: `?server=`, else the page's own. */
export function serverAddress(location: Pick<Location, "search" | "origin">): string {
  return new URLSearchParams(location.search).get("server") ?? ownServer(location);
}
