// What comes before the recipe of docs/protocol.md when its first event must wait: it prints "ready",
// and sends the event when a line comes on standard input.
import { connect as dial } from "../../../tests/live/node/client.mjs";

const connect = (options) => {
  const socket = dial({ ...options, reconnectionDelay: 5, reconnectionDelayMax: 20, timeout: 500 });
  const emit = socket.emit.bind(socket);
  socket.emit = (...args) => {
    socket.emit = emit;
    const ready = () => {
      process.stdin.once("data", () => emit(...args));
      console.log("ready");
    };
    // Not in the middle of an upgrade, or of a request: where an answer to that is lost, nothing is
    // sent any more.
    const { engine } = socket.io;
    if (process.argv[3] === "upgrade" && engine.transport.name === "polling") {
      engine.once("upgrade", ready);
    } else if (engine.transport.writable) ready();
    else engine.once("drain", ready);
    return socket;
  };
  return socket;
};
