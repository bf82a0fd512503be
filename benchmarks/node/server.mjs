// The reference: Node's socket.io, WebSocket only, written as its documentation would have it.
//
// One timer per stream, set for the time at which its next character is due, counted from the
// start, so that the pace does not drift. setInterval with catching up, and timers that are reused
// with refresh(), were measured too: no difference that could be told from noise.

import { createServer } from "node:http";
import { Server } from "socket.io";

// Unpaced: characters between two turns of the event loop. Measured from 1 to 512: the characters
// per CPU-second are the same within noise, and more than this delays the other connections.
const BATCH = 64;

const httpServer = createServer((request, response) => {
  response.writeHead(request.url === "/healthz" ? 200 : 404).end();
});
const io = new Server(httpServer, { transports: ["websocket"], serveClient: false });

function streamPaced(emit, { text, rate }, isOver, end) {
  const start = performance.now();
  let sent = 0;

  function step() {
    if (isOver()) return;
    emit(text[sent++]);
    if (sent === text.length) end();
    else setTimeout(step, start + (sent * 1000) / rate - performance.now());
  }

  step();
}

// Unpaced: writes while the connection takes it, waits for "drain" when it does not.
function streamUnpaced(socket, { text }, end) {
  let sent = 0;

  function step() {
    if (socket.disconnected) return;
    const until = Math.min(text.length, sent + BATCH);
    while (sent < until) socket.emit("new_char", text[sent++]);
    if (sent === text.length) return end();
    // Never directly out of "drain", which may come at once: that would starve the others.
    if (socket.conn.writeBuffer.length > 0) socket.conn.once("drain", () => setImmediate(step));
    else setImmediate(step);
  }

  step();
}

io.on("connection", (socket) => {
  socket.on("start_stream", (request) => {
    const end = () => socket.emit("stream_end", {});
    if (request.rate === 0) streamUnpaced(socket, request, end);
    else
      streamPaced(
        (c) => socket.emit("new_char", c),
        request,
        () => socket.disconnected,
        end,
      );
  });

  socket.on("join", () => socket.join("viewers"));

  socket.on("broadcast", (request) => {
    const viewers = io.to("viewers");
    const end = () => viewers.emit("stream_end", {});
    streamPaced(
      (c) => viewers.emit("new_char", c),
      request,
      () => false,
      end,
    );
  });
});

httpServer.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${httpServer.address().port}`);
});
