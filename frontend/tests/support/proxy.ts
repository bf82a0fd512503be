import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Running } from "./processes.js";

export interface Proxy {
  url: string;
  /** How many WebSockets were asked for. */
  upgrades: () => number;
  stop: () => Promise<void>;
}

/** A proxy that forwards HTTP, and hands whoever asks for a WebSocket to `upgrade`. */
export async function startProxy(to: Running, upgrade: (socket: Duplex) => void): Promise<Proxy> {
  const upgraded: Duplex[] = [];
  const proxy = createServer((request, response) => {
    const { method, url, headers } = request;
    const onward = { port: to.port, host: "127.0.0.1", method, path: url, headers };
    const forwarded = httpRequest(onward, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on("error", () => response.destroy());
    request.pipe(forwarded);
  });
  proxy.on("upgrade", (_request, socket: Duplex) => {
    socket.on("error", () => undefined); // whoever asked may have lost patience
    upgraded.push(socket);
    upgrade(socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    upgrades: () => upgraded.length,
    stop: async () => {
      for (const socket of upgraded) socket.destroy();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
