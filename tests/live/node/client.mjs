// What the scripts in this folder share. Each is a plain client: `node NAME.mjs URL MODE [MS]`, where
// MODE is websocket, polling, or upgrade (polling that upgrades), and MS is how long it may take. It
// prints one line of JSON with what it saw; the test that started it judges.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../frontend/package.json", import.meta.url));
const { io } = require("socket.io-client");

const MODES = {
  websocket: { transports: ["websocket"] },
  polling: { transports: ["polling"] },
  upgrade: {},
};

const [url, mode, patience = 60_000] = process.argv.slice(2);

setTimeout(() => {
  console.error(`${mode}: not done after ${patience} ms`);
  process.exit(1);
}, Number(patience)).unref();

/** A connection of its own, to the namespace / or another, in the mode that was asked for. */
export function connect({ namespace = "", ...options } = {}) {
  return io(url + namespace, { ...MODES[mode], forceNew: true, ...options });
}

/** The arguments of the next `event`. */
export function next(socket, event) {
  return new Promise((resolve) => socket.once(event, (...args) => resolve(args)));
}

/** Resolves when `socket` has received `count` events `new_char` from now on. */
export function chars(socket, count) {
  return new Promise((resolve) => {
    const listen = () => {
      count -= 1;
      if (count > 0) return;
      socket.off("new_char", listen);
      resolve();
    };
    socket.on("new_char", listen);
  });
}

/** The answer to an event. */
export function ask(socket, event, ...payload) {
  return socket.timeout(10_000).emitWithAck(event, ...payload);
}

export function sha256(text) {
  return require("node:crypto").createHash("sha256").update(text).digest("hex");
}

export function transport(socket) {
  return socket.io.engine.transport.name;
}

export function finish(seen) {
  console.log(JSON.stringify(seen));
  process.exit(0);
}
