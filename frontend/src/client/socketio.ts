import { io } from "socket.io-client";
import type { ServerEvents, WireError } from "./protocol.js";
import { askWhy, refusalOf } from "./refusal.js";
import type { WireFactory } from "./wire.js";

const EVENTS: readonly (keyof ServerEvents)[] = [
  "stream_chunk",
  "stream_end",
  "stream_error",
  "stream_waiting",
  "server_draining",
];

/** `data` is what the server said over Socket.IO; `context` may be a request that polled. */
type ConnectError = Error & { data?: unknown; context?: unknown };

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
  const address = new URL(path.replace(/\/?$/, "/"), origin).href;
  const socket = io(origin, {
    transports: [...transports],
    tryAllTransports: true,
    path,
    auth,
    forceNew: true,
    reconnection: false,
    autoConnect: false,
  });
  const asking = new AbortController();
  let silent = false;
  const silence = (): void => {
    silent = true;
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
  let refusal: WireError | undefined; // by the answer to an opening request
  const notOpened = (reason: string): void => {
    if (asking.signal.aborted) return;
    if (refusal) handlers.refused(refusal, reason);
    else handlers.lost(reason);
  };
  socket.on("connect", () => {
    handlers.transport(socket.io.engine.transport.name);
    handlers.opened();
  });
  socket.on("disconnect", lost);
  socket.on("connect_error", ({ message, data, context }: ConnectError) => {
    silence();
    socket.disconnect();
    refusal ??= refusalOf(context);
    // With data, or while the connection stands, it is the server that has spoken.
    if (data !== undefined) handlers.refused(data, message);
    else if (transports.includes("polling")) notOpened(message);
    else
      void askWhy(address, asking.signal)
        .then(
          (answer) => (refusal = answer),
          () => undefined, // It says nothing either.
        )
        .then(() => {
          notOpened(message);
        });
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
  // The one place that tells of a connection that ends before its first packet. Not at once: of a CONNECT
  // that is refused the library closes the connection first, and says why then.
  engine.on("close", (reason) => {
    if (socket.connected) return;
    queueMicrotask(() => {
      if (!silent) lost(reason);
    });
  });
  // Only the last transport's error is handed on: that of a WebSocket may come behind a refusal.
  engine.transport.on("error", ({ context }) => {
    refusal = refusalOf(context);
  });
  return {
    send(event, payload, answered) {
      socket.emit(event, payload, answered);
    },
    cut() {
      asking.abort();
      silence();
      engine.close();
    },
    close() {
      asking.abort();
      silence();
      socket.disconnect();
    },
    farewell() {
      // A WebSocket ends with its page. Of one that polls the server would hear only when a ping is
      // overdue; after a reload it would find the old reader, and the text would come at its pace.
      if (!engine.id || engine.transport.name !== "polling") return;
      const session = `${address}?EIO=4&transport=polling&sid=${engine.id}`;
      navigator.sendBeacon(session, "1"); // Engine.IO's "close"
    },
  };
};
