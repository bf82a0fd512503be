// What comes before the recipe of docs/protocol.md when its first event must wait: it prints "ready",
// and sends the event when a line comes on standard input.
import { connect as dial } from "../../../tests/live/node/client.mjs";

const connect = () => {
  const socket = dial({ reconnectionDelay: 5, reconnectionDelayMax: 20, timeout: 500 });
  const emit = socket.emit.bind(socket);
  socket.emit = (...args) => {
    socket.emit = emit;
    process.stdin.once("data", () => emit(...args));
    console.log("ready");
    return socket;
  };
  return socket;
};
