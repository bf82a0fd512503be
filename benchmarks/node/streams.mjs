// What the peers in JavaScript do, as Socket.IO's documentation would have it: the same code on Node
// and on Bun.
//
// One timer per stream, set for the time at which its next character is due, counted from the
// start, so that the pace does not drift. setInterval with catching up, and timers that are reused
// with refresh(), were measured too: no difference that could be told from noise.

// Unpaced: characters between two turns of the event loop. Measured from 1 to 512: the characters
// per CPU-second are the same within noise, and more than this delays the other connections.
const BATCH = 64;

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

// Unpaced: writes while the connection takes it, waits for room when it does not.
function streamUnpaced(socket, { text }, whenRoom, end) {
  let sent = 0;

  function step() {
    if (socket.disconnected) return;
    const until = Math.min(text.length, sent + BATCH);
    while (sent < until) socket.emit("new_char", text[sent++]);
    if (sent === text.length) return end();
    // Never directly out of an event, which may come at once: that would starve the others.
    whenRoom(socket.conn, () => setImmediate(step));
  }

  step();
}

// `whenRoom(conn, go)` calls `go` when an Engine.IO connection takes more: at once, if it does now.
export function serveStreams(io, whenRoom) {
  io.on("connection", (socket) => {
    socket.on("start_stream", (request) => {
      const end = () => socket.emit("stream_end", {});
      if (request.rate === 0) streamUnpaced(socket, request, whenRoom, end);
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
}
