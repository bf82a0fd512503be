// Two streams at a time on one connection, told apart by their ids.
import { ask, connect, finish, sha256 } from "./client.mjs";

const socket = connect();
const streams = new Map();
const order = [];
const of = (id) => {
  if (!streams.has(id)) streams.set(id, { text: "", next: 0, gaps: 0, end: null });
  return streams.get(id);
};

socket.on("stream_chunk", ({ id, offset, next, text }) => {
  const stream = of(id);
  if (offset !== stream.next) stream.gaps += 1;
  stream.next = next;
  stream.text += text;
  order.push(id);
});
const ended = new Promise((resolve) => {
  socket.on("stream_end", (end) => {
    of(end.id).end = end;
    if ([...streams.values()].filter((stream) => stream.end).length === 2) resolve();
  });
});

const texts = ["Latin letters, one by one. ".repeat(4), "一二三四五六七八九十".repeat(10)];
const ids = [];
for (const text of texts) {
  const answer = await ask(socket, "start_stream", { text, rate: 100, format: "chunk" });
  ids.push(answer.stream.id);
}
await ended;

const lastOf = (id) => order.lastIndexOf(id);
finish({
  interleaved: order.indexOf(ids[1]) < lastOf(ids[0]) && order.indexOf(ids[0]) < lastOf(ids[1]),
  streams: ids.map((id, index) => {
    const { text, next, gaps, end } = of(id);
    return {
      same: text === texts[index],
      next,
      gaps,
      end,
      exact: sha256(text) === end.text_sha256,
    };
  }),
});
