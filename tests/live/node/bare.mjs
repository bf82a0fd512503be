// The smallest client: no payload, no acknowledgement.
import { connect, finish, next, sha256, transport } from "./client.mjs";

const socket = connect();
const events = [];
const times = [];
let text = "";
socket.on("new_char", (c) => (text += c));

socket.on("new_char", (c) => {
  events.push(c);
  times.push(performance.now());
});
socket.emit("start_stream");

const [end] = await next(socket, "stream_end");
const segments = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
finish({
  text,
  events,
  segments,
  sha256: sha256(text),
  end,
  seconds: (times.at(-1) - times[0]) / 1000,
  transport: transport(socket),
});
