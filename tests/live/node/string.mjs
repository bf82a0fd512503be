// A string is the text itself; what many scripts make of "one character" arrives as one event.
import { connect, finish, next, sha256 } from "./client.mjs";

const socket = connect();
let events = [];
socket.on("new_char", (c) => events.push(c));

async function stream(payload) {
  events = [];
  socket.emit("start_stream", payload);
  const [end] = await next(socket, "stream_end");
  return { events, end, exact: sha256(events.join("")) === end.text_sha256 };
}

finish({
  chinese: await stream("这是一段要逐步返回的文字"),
  clusters: await stream({
    text: "👨‍👩‍👧‍👦🇨🇭क्षि\u1100\u1161\u11a8e\u0301\r\n",
    rate: 0,
  }),
});
