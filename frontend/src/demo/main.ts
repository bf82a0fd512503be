/**
 * The demo page. The wire needs very little; this alone is a client that works:
 *
 *     const socket = io();
 *     socket.on("new_char", (char) => (output.textContent += char));
 *     socket.emit("start_stream");
 *
 * The rest is what people are owed: figures, stopping, going on after a lost connection or a reload
 * at the exact character, proof that the text is complete, and words for whatever goes wrong.
 */
import { Connection, server } from "./connection";
import { Controls } from "./controls";
import { find } from "./find";
import { Notice } from "./notice";
import { Screen } from "./screen";
import { Stream } from "./stream";

const screen = new Screen();
const notice = new Notice(() => {
  stream.again();
});
const connection: Connection = new Connection(() => stream.running);
const stream: Stream = new Stream(connection, screen, notice);
const controls = new Controls((rate) => {
  stream.setRate(rate);
});

function start(): void {
  if (controls.lacksPrompt) {
    notice.say("Type a prompt first: this source needs one.");
    controls.prompt.focus();
    return;
  }
  stream.start(controls.request());
}

function stop(): void {
  stream.stop();
}

const before = stream.restore();
if (before) controls.restore(before.request, before.rate);

connection.socket.on("connect", () => {
  controls.load(server).catch(() => {
    notice.say("The list of sources could not be read. Reload the page.");
  });
});

document.addEventListener("visibilitychange", () => {
  // After a sleep the connection may be dead: whatever is sent makes the client look at the time
  // of the last heartbeat. Otherwise it would take its timer, which slept too, up to 45 s.
  if (!document.hidden) stream.setRate(controls.rate);
});

find("form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});

controls.prompt.addEventListener("keydown", (event) => {
  // While an input method composes, Enter is its own: it accepts a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  start();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) stop();
});

find("stop", HTMLButtonElement).addEventListener("click", stop);

for (const sample of document.querySelectorAll<HTMLButtonElement>(".samples button")) {
  sample.addEventListener("click", () => {
    const { source } = sample.dataset;
    controls.fill(source ? { source } : { prompt: sample.textContent });
    start();
    screen.focus();
  });
}
