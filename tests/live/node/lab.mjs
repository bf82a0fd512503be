// The client of Flask-SocketIO's example page, with its event names, and the lab's own events.
import { ask, connect, finish, next, transport } from "./client.mjs";

const test = connect({ namespace: "/test" });

/** The next answer, which is none of those that the server sends by itself. */
const response = () =>
  new Promise((resolve) => {
    const listen = (said) => {
      if (said.data === "Server generated event") return;
      test.off("my_response", listen);
      resolve(said);
    };
    test.on("my_response", listen);
  });
const sendAndReceive = (event, ...args) => {
  const answer = response();
  test.emit(event, ...args);
  return answer;
};

const connected = await response();

const echoed = await sendAndReceive("my_event", { data: "I'm connected!" });
const broadcast = await sendAndReceive("my_broadcast_event", { data: "to all 👨‍👩‍👧‍👦" });
const joined = await sendAndReceive("join", { room: "a room" });
const roomed = await sendAndReceive("my_room_event", { room: "a room", data: "to the room" });
const left = await sendAndReceive("leave", { room: "a room" });
await sendAndReceive("join", { room: "another" });
const closing = await sendAndReceive("close_room", { room: "another" });
const refused = await sendAndReceive("my_event", "no object");

const roundTrips = [];
for (let i = 0; i < 30; i += 1) {
  const pong = next(test, "my_pong");
  const began = performance.now();
  test.emit("my_ping");
  await pong;
  roundTrips.push(performance.now() - began);
}

const message = next(test, "message");
const messageAnswer = await new Promise((resolve) =>
  test.send("one", { two: 2 }, [3], (...values) => resolve(values)),
);
const json = next(test, "json");
const jsonAnswer = await new Promise((resolve) =>
  test.emit("json", { a: [1] }, null, (...values) => resolve(values)),
);
const connection = await ask(test, "my_connection");
const generated = new Promise((resolve) =>
  test.on("my_response", (said) => said.data === "Server generated event" && resolve(said)),
);

const work = connect({ namespace: "/testnamespace" });
const responses = [];
work.on("response", (response) => responses.push(response));
await ask(work, "request_for_response", { param: "value" });
while (responses.length < 2) await next(work, "response");

const counted = await generated;
const goodbye = new Promise((resolve) => {
  test.on("my_response", (said, cb) => {
    if (said.data !== "Disconnected!") return;
    resolve(said);
    if (cb) cb();
  });
});
const disconnected = next(test, "disconnect");
const used = transport(test);
const requested = await ask(test, "disconnect_request");
const [reason] = await disconnected;

finish({
  sid: connection.sid,
  connected,
  echoed,
  broadcast,
  joined,
  roomed,
  left,
  closing,
  refused,
  roundTrips,
  message: await message,
  messageAnswer,
  json: await json,
  jsonAnswer,
  connection,
  transport: used,
  responses,
  counted,
  goodbye: await goodbye,
  requested,
  reason,
});
