// Speed, pause, and stop, while streaming.
import { ask, chars, connect, finish, next, sha256 } from "./client.mjs";

const socket = connect();
let text = "";
socket.on("new_char", (c) => (text += c));

const { stream } = await ask(socket, "start_stream", {
  text: "0123456789".repeat(10_000),
  rate: 5,
});
const { id } = stream;
await chars(socket, 3);

const faster = await ask(socket, "set_rate", { id, rate: 500 });
const began = performance.now();
await chars(socket, 500);
const seconds = (performance.now() - began) / 1000;

const paused = await ask(socket, "pause_stream", { id });
const before = text.length;
// A round trip of another event shows that nothing else is on its way, without a guess at a time.
for (let i = 0; i < 5; i += 1) await ask(socket, "set_rate", { id, rate: 400 });
const whilePaused = text.length - before;

const continued = await ask(socket, "continue_stream", { id });
await chars(socket, 50);

const ended = next(socket, "stream_end");
const stopped = await ask(socket, "stop_stream", { id });
const [end] = await ended;
const refused = await ask(socket, "set_rate", { id: "nobody", rate: 1 });

finish({
  stream,
  faster,
  seconds,
  paused,
  whilePaused,
  continued,
  stopped,
  end,
  received: text.length,
  exact: sha256(text) === end.text_sha256,
  refused,
});
