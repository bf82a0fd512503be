/**
 * The demo page: one stream, on the client library. The wire needs very little; this alone is a
 * client that works:
 *
 *     const socket = io();
 *     socket.on("new_char", (char) => (output.textContent += char));
 *     socket.emit("start_stream");
 *
 * The library is what people are owed besides: going on after a lost connection or a reload at the
 * exact character, and proof that the text is complete. The page adds figures, and words for whatever
 * goes wrong.
 */
import { StreamClient, StreamError } from "../client";
import { confirmServer, foreignOrigin } from "../shared/foreign";
import { ownServer, serverAddress, type Home } from "../shared/server";
import { authFor, followTokens, takeToken } from "../shared/token";
import { enteredEarly, focusAtFirst, isComposing, typeInto } from "../shared/typing";
import { ConnectionBadge } from "./badge";
import { Controls } from "./controls";
import { find } from "./find";
import { Notice } from "./notice";
import { Player } from "./player";
import { Screen } from "./screen";
import { explain } from "./words";

const HOME: Home = "./";
const address = serverAddress(location, HOME);
await confirmServer(address, HOME);

const screen = new Screen();
const notice = new Notice(() => {
  player.again();
  screen.focus(); // The button has gone.
});
const client = connect();
const badge: ConnectionBadge = new ConnectionBadge(client, () => player.running, loadSources);
const player: Player = new Player(client, badge, screen, notice);
const controls = new Controls((rate) => {
  player.setRate(rate);
});

function connect(): StreamClient {
  const server = find("server", HTMLElement);
  server.textContent = foreignOrigin(address, ownServer(location, HOME), location.href) ?? "";
  takeToken(address);
  followTokens(address, () => {
    client.retryNow();
  });
  try {
    return new StreamClient(address, {
      auth: authFor(address),
      remember: 0, // The page remembers more of a stream: see memory.ts.
      backoff: { initial: 250, maximum: 3000 },
      giveUpAfter: Infinity, // It says what is wrong, and whoever reads it decides.
    });
  } catch (error) {
    find("connection", HTMLElement).textContent = "Not connected";
    if (error instanceof StreamError) notice.say(explain(error));
    throw error;
  }
}

/** Start was pressed, and it is not known yet from which source: the server's own may be another. */
let early = false;

function loadSources(): void {
  controls
    .load(client.url)
    .catch(() => {
      notice.say("The list of sources could not be read. Reload the page.");
    })
    .finally(() => {
      if (early) start();
    });
}

function start(): void {
  early = !controls.settled;
  if (early) {
    screen.show("waiting", "Starts as soon as the server answers…");
    return;
  }
  if (controls.lacksPrompt) {
    notice.say("Type a prompt first: this source needs one.");
    controls.prompt.focus();
    return;
  }
  player.start(controls.request());
}

function stop(): void {
  if (early && !player.running) screen.show("idle", "");
  early = false;
  player.stop();
}

const entered = enteredEarly(controls.prompt);
const before = player.restore();
if (before) controls.restore(before.request, before.rate);
focusAtFirst(controls.prompt);
typeInto(() => controls.prompt);
if (entered) start();

document.addEventListener("visibilitychange", () => {
  // After a sleep the connection may be dead: whatever is sent makes the client look at the time
  // of the last heartbeat. Otherwise it would take its timer, which slept too, up to 45 s.
  if (!document.hidden) player.setRate(controls.rate);
});

find("form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});

controls.prompt.addEventListener("keydown", (event) => {
  // While an input method composes, Enter is its own: it accepts a word.
  if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
  event.preventDefault();
  start();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isComposing(event)) stop();
});

find("stop", HTMLButtonElement).addEventListener("click", stop);

for (const sample of document.querySelectorAll<HTMLButtonElement>("#welcome button")) {
  sample.addEventListener("click", () => {
    const { source } = sample.dataset;
    controls.fill(source ? { source } : { prompt: sample.textContent });
    start();
    screen.focus();
  });
}
