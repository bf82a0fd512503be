/**
 * The demo page. The wire needs very little; this alone is a client that works:
 *
 *     const socket = io();
 *     socket.on("new_char", (char) => (output.textContent += char));
 *     socket.emit("start_stream");
 *
 * The rest is what people are owed: figures, stopping, going on after a lost connection at the
 * exact character, proof that the text is complete, and words for whatever goes wrong.
 */
import { io, type Socket } from "socket.io-client";
import { Controls } from "./controls";
import { Figures } from "./figures";
import { find } from "./find";
import { Narrator } from "./narrator";
import { Output } from "./output";
import type { Answer, ClientEvents, Rate, ServerEvents, StartStream, StreamEnd } from "./protocol";
import { ENDED, explain } from "./words";

type State = "idle" | "waiting" | "streaming" | "ended";

const reader = find("reader", HTMLElement);
const stopButton = find("stop", HTMLButtonElement);
const output = new Output(find("output", HTMLElement), reader, find("newest", HTMLButtonElement));
const narrator = new Narrator(find("spoken", HTMLElement));
const figures = new Figures();

// The server that the page came from, or ?server=http://host:port, or the one named at build time.
const server =
  new URLSearchParams(location.search).get("server") ??
  import.meta.env.VITE_SERVER ??
  location.origin;

const socket: Socket<ServerEvents, ClientEvents> = io(server, {
  reconnectionDelay: 250,
  reconnectionDelayMax: 3000,
});

// --- The stream ---------------------------------------------------------------------------------

let wanted: { request: StartStream; since: number } | null = null; // asked for, not yet begun
let reading: { id: string; received: number } | null = null; // received: units, the next offset
let stopping = false; // stop as soon as there is a stream, and a connection to say it on

function start(): void {
  fail("");
  if (controls.lacksPrompt) {
    fail("Type a prompt first: this source needs one.");
    controls.prompt.focus();
    return;
  }
  // With an id of its own, a start that is sent again after a lost connection is not done twice.
  const request_id = hex(crypto.getRandomValues(new Uint8Array(16)));
  wanted = { request: { ...controls.request(), request_id }, since: performance.now() };
  stopping = false;
  show(
    "waiting",
    socket.connected ? "Waiting for the first character…" : "Waiting for the server…",
  );
  // Not left to the buffer of the client: that would also send what was stopped meanwhile.
  if (socket.connected) send(wanted.request);
}

function send(request: StartStream): void {
  socket.emit("start_stream", request, (answer) => {
    if (!answer.ok) notStarted(explain(answer.error));
  });
}

socket.on("stream_start", ({ id }) => {
  if (id === reading?.id) return; // after a resume_stream: go on where we are
  const before = wanted;
  wanted = null;
  reading = { id, received: 0 };
  figures.begin(before?.since ?? performance.now());
  output.clear();
  narrator.clear();
  find("welcome", HTMLElement).hidden = true;
  show("waiting", "Waiting for the first character…");
  if (before?.request.rate !== controls.rate) setRate(controls.rate); // changed meanwhile
  if (stopping) stop();
});

socket.on("new_char", (char) => {
  if (!reading) return;
  reading.received += 1;
  if (reading.received === 1) show("streaming", "Streaming");
  output.append(char);
  narrator.add(char);
  figures.add();
});

socket.on("stream_end", (end) => {
  if (end.id !== reading?.id || end.reason === "replaced") return; // the next one starts at once
  const { received } = reading;
  finish();
  void judge(end, received);
});

socket.on("stream_error", (error) => {
  if (error.id) fail(explain(error));
  else notStarted(explain(error));
});

function stop(): void {
  if (!reading && !wanted) return;
  stopping = true;
  if (!socket.connected) {
    wanted = null;
    if (reading) show("waiting", "Stops when the connection is back.");
    else show("ended", "Not started.");
  } else if (reading && !wanted) {
    socket.emit("stop_stream", { id: reading.id }, report);
  }
}

function finish(): void {
  reading = null;
  stopping = false;
  output.flush();
  figures.end();
  narrator.end();
}

/** Say how it ended, and whether the text is the one that the server sent, to the last byte. */
async function judge(end: StreamEnd, received: number): Promise<void> {
  const hash = await sha256(output.text);
  if (reading ?? wanted) return; // another one was started meanwhile
  const whole = received === end.offset && (hash === undefined || hash === end.text_sha256);
  const verdict = whole ? (hash ? ", verified." : ".") : ", but a part is missing. Start it again.";
  show("ended", ENDED[end.reason] + verdict);
}

async function sha256(text: string): Promise<string | undefined> {
  // The type says that it is always there; on plain HTTP, other than from localhost, it is not.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return undefined;
  return hex(new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- The connection -----------------------------------------------------------------------------

let failures = 1; // attempts to connect that failed in a row; the first one ever is told at once

socket.on("connect", () => {
  failures = 0;
  showConnection("connected", "Connected");
  controls.load(server).catch(() => {
    fail("The list of sources could not be read. Reload the page.");
  });
  if (reading) resume(reading);
  if (wanted) send(wanted.request);
});

socket.on("disconnect", (reason) => {
  showConnection("lost", "Connection lost. Trying again…");
  if (reading) show("waiting", "Goes on when the connection is back.");
  // The one case in which the client does not try again by itself.
  if (reason === "io server disconnect") socket.connect();
});

socket.on("connect_error", (error) => {
  failures += 1;
  if (!socket.active) showConnection("lost", `The server refused: ${error.message}`);
  else if (failures > 1)
    showConnection("lost", "The server is not there. Start it with “make run”.");
});

function resume(lost: { id: string; received: number }): void {
  const { id, received: offset } = lost;
  socket.emit("resume_stream", { id, offset, rate: controls.rate }, (answer) => {
    if (reading !== lost) return;
    if (answer.ok) {
      show("streaming", "Streaming");
      if (stopping) stop();
    } else {
      finish();
      show("ended", "Incomplete.");
      fail(`The rest of the text is lost. ${explain(answer.error)}`);
    }
  });
}

// --- The page -----------------------------------------------------------------------------------

const controls = new Controls(setRate);

function setRate(rate: Rate): void {
  // Without a connection it goes with resume_stream.
  if (reading && socket.connected) socket.emit("set_rate", { id: reading.id, rate }, report);
}

function show(state: State, words: string): void {
  document.body.dataset.stream = state;
  find("state", HTMLElement).textContent = words;
  stopButton.ariaDisabled = String(state === "idle" || state === "ended");
}

function showConnection(state: "connected" | "lost", words: string): void {
  const connection = find("connection", HTMLElement);
  connection.dataset.state = state;
  connection.textContent = words;
}

function fail(words: string): void {
  find("error", HTMLElement).textContent = words;
}

function report(answer: Answer): void {
  if (!answer.ok) fail(explain(answer.error));
}

function notStarted(words: string): void {
  wanted = null;
  fail(words);
  if (reading) show("streaming", "Streaming");
  else show("ended", "Not started.");
}

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

stopButton.addEventListener("click", stop);

for (const sample of document.querySelectorAll<HTMLButtonElement>(".samples button")) {
  sample.addEventListener("click", () => {
    const { source } = sample.dataset;
    controls.fill(source ? { source } : { prompt: sample.textContent });
    start();
    reader.focus();
  });
}
