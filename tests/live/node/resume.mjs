// The connection breaks in mid-stream; a new one goes on at the exact character.
import { ask, chars, connect, finish, next, sha256 } from "./client.mjs";

const original = "Lost connections lose no characters: 一个字也不会丢。👩🏽‍🚀 ".repeat(6);
const socket = connect({ reconnectionDelay: 50, randomizationFactor: 0 });
const received = [];
socket.on("new_char", (c) => received.push(c));

const { stream } = await ask(socket, "start_stream", { text: original, rate: 200 });
const { id } = stream;
const resumes = [];
for (const count of [1, 20, 60]) {
  await chars(socket, count);
  const back = next(socket, "connect");
  socket.io.engine.close(); // as when the network goes away
  await back;
  const offset = received.length;
  const { ok, recovered, stream: resumed } = await ask(socket, "resume_stream", { id, offset });
  resumes.push({ ok, recovered, offset, at: resumed?.offset, id: resumed?.id === id });
}
const [end] = await next(socket, "stream_end");

// The whole of it once more, now that it has ended.
const replay = connect();
let again = "";
replay.on("new_char", (c) => (again += c));
replay.emit("resume_stream", { id, offset: 0, rate: 0 });
await next(replay, "stream_end");

const text = received.join("");
finish({
  resumes,
  same: text === original,
  units: received.length,
  end,
  exact: sha256(text) === end.text_sha256,
  replayed: again === original,
});
