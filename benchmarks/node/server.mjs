// The reference: Node's socket.io.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { serveStreams } from "./streams.mjs";

const httpServer = createServer((request, response) => {
  response.writeHead(request.url === "/healthz" ? 200 : 404).end();
});
const io = new Server(httpServer, { serveClient: false });

serveStreams(io, (conn, go) => {
  if (conn.writeBuffer.length > 0) conn.once("drain", go);
  else go();
});

httpServer.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${httpServer.address().port}`);
});
