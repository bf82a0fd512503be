// socket.io on Bun's own server, through the engine that its authors made for it.

import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { serveStreams } from "../node/streams.mjs";

// Bytes that wait in Bun for a connection, above which nothing more is written to it. Bun drops
// what is over 16 MiB without a word, and the engine's own writeBuffer is always empty.
const FULL = 65_536;

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);

const waiting = new Map(); // Bun's WebSocket -> what goes on when it has room

serveStreams(io, (conn, go) => {
  const socket = conn.transport.socket;
  if (socket?.getBufferedAmount?.() > FULL) waiting.set(socket, go);
  else go();
});

function release(socket) {
  const go = waiting.get(socket);
  waiting.delete(socket);
  go?.();
}

const { websocket, ...options } = engine.handler();

const server = Bun.serve({
  ...options,
  hostname: "127.0.0.1",
  port: 0,
  routes: { "/healthz": new Response() },
  websocket: {
    ...websocket,
    drain: release,
    close(socket, code, message) {
      websocket.close(socket, code, message);
      release(socket);
    },
  },
});

console.log(`listening on http://127.0.0.1:${server.port}`);
