import { io } from "socket.io-client";
import type { ServerEvents } from "./protocol.js";
import type { WireFactory } from "./wire.js";

const EVENTS: readonly (keyof ServerEvents)[] = [
  "stream_chunk",
  "stream_end",
  "stream_error",
  "server_draining",
];

/**
 * A connection by `socket.io-client`.
 *
 * A new socket for each, and none of its own reconnecting: it would send what was emitted on an
 * earlier connection, and it does not notice for a long time when a connection breaks off before its
 * first packet.
 */
export const socketIoWire: WireFactory = (url, options, handlers) => {
  const { transports, path, auth } = options;
  // Of an address with a path, Socket.IO would take the path for a namespace.
  const { origin } = new URL(url);
  const socket = io(origin, {
    transports: [...transports],
    tryAllTransports: true,
    path,
    ...(auth && { auth }),
    forceNew: true,
    reconnection: false,
    autoConnect: false,
  });
  const silence = (): void => {
    socket.off();
    socket.io.off();
    socket.io.engine.off("upgrade");
    socket.io.engine.off("close");
  };
  const lost = (reason: string): void => {
    silence();
    socket.disconnect();
    handlers.lost(reason);
  };
  socket.on("connect", () => {
    handlers.transport(socket.io.engine.transport.name);
    handlers.opened();
  });
  socket.on("disconnect", lost);
  socket.on("connect_error", (error: Error & { data?: unknown }) => {
    silence();
    socket.disconnect();
    // With data, or while the connection stands, it is the server that has spoken.
    if (error.data !== undefined) handlers.refused(error.data, error.message);
    else handlers.lost(error.message);
  });
  for (const event of EVENTS)
    socket.on(event, (data: unknown) => {
      handlers.event(event, data);
    });
  // Its own timer would ring before the one of the connection, which could then not tell silence
  // from a refusal, and not go over to another transport.
  socket.io.timeout(false);
  socket.connect();
  const { engine } = socket.io;
  engine.on("upgrade", ({ name }) => {
    handlers.transport(name);
  });
  // The one place that tells of a connection that ends before its first packet.
  engine.on("close", (reason) => {
    if (!socket.connected) lost(reason);
  });
  return {
    send(event, payload, answered) {
      socket.emit(event, payload, answered);
    },
    cut() {
      silence();
      engine.close();
    },
    close() {
      silence();
      socket.disconnect();
    },
    farewell() {
      // A WebSocket ends with its page. Of one that polls the server would hear only when a ping is
      // overdue; after a reload it would find the old reader, and the text would come at its pace.
      if (!engine.id || engine.transport.name !== "polling") return;
      const session = `${path.replace(/\/?$/, "/")}?EIO=4&transport=polling&sid=${engine.id}`;
      navigator.sendBeacon(new URL(session, origin), "1"); // Engine.IO's "close"
    },
  };
};
