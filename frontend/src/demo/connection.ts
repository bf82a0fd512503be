import { io, type Socket } from "socket.io-client";
import { find } from "./find";
import type { ClientEvents, ServerEvents } from "./protocol";

// The server that the page came from, or ?server=http://host:port, or the one named at build time.
export const server =
  new URLSearchParams(location.search).get("server") ??
  import.meta.env.VITE_SERVER ??
  location.origin;

const AGAIN_MS = 6000; // for how long the page says that it is connected again
const NAMES: Record<string, string> = { websocket: "WebSocket", polling: "polling" };

type State = "connecting" | "connected" | "leaving" | "lost";

/** The connection to the server, what the page says of it, and the button that cuts it. */
export class Connection {
  readonly socket: Socket<ServerEvents, ClientEvents> = io(server, {
    reconnectionDelay: 250,
    reconnectionDelayMax: 3000,
    // Each delay is half to one and a half times as long, by chance: when a server comes back, its
    // readers do not all knock in the same moment.
    randomizationFactor: 0.5,
    // A connection that breaks within its first packet is noticed only then.
    timeout: 10_000,
  });
  /** Whether the server at the other end has said that it goes down. */
  draining = false;
  /** Whether one has said so, and no stream was resumed since. */
  restarting = false;

  readonly #words = find("connection", HTMLElement);
  readonly #detail = find("detail", HTMLElement);
  readonly #cut = find("cut", HTMLButtonElement);
  #failures = 1; // attempts to connect that failed in a row; the first one ever is told at once
  #lost = false; // the connection, since a stream was last resumed
  #again = 0; // timer

  /** @param running says whether a text is on its way */
  constructor(running: () => boolean) {
    const { socket } = this;
    socket.io.on("open", () => {
      this.draining = false; // not on "connect": events that come with it are handed over before it
    });
    socket.on("connect", () => {
      this.#failures = 0;
      if (!running()) this.restarting = this.#lost = false;
      if (!this.draining) this.#show("connected", "Connected");
      this.#showTransport();
      socket.io.engine.on("upgrade", this.#showTransport);
    });
    socket.on("server_draining", () => {
      this.restarting = this.draining = true;
      this.#show("leaving", "The server is going down.");
    });
    socket.on("disconnect", (reason) => {
      this.#lost = true;
      this.#detail.textContent = "";
      this.#showLost();
      // The one case in which the client does not try again by itself.
      if (reason === "io server disconnect") socket.connect();
    });
    socket.on("connect_error", ({ message }) => {
      this.#failures += 1;
      if (socket.active) this.#showLost();
      else this.#show("lost", `The server refused: ${message}`);
    });
    socket.io.on("reconnect_attempt", (attempt) => {
      this.#detail.textContent = `attempt ${attempt}`;
    });
    this.#cut.addEventListener("click", this.cut);
    this.#followPage();
  }

  /** Break the connection below Socket.IO: nothing is said to either side's handlers before. */
  readonly cut = (): void => {
    // Not socket.disconnect(): that takes leave of the server, and stays away.
    if (this.socket.connected) this.socket.io.engine.transport.close();
  };

  /** Say that a stream goes on, if the connection was lost. After a reload it was not. */
  resumed(): void {
    this.restarting = this.draining;
    if (!this.#lost) return;
    this.#lost = false;
    if (this.draining) return;
    this.#show("connected", "Connected again. Nothing was lost.");
    this.#again = setTimeout(() => {
      this.#show("connected", "Connected");
    }, AGAIN_MS);
  }

  /** Keep to the truth when the page is left, hidden, and taken out again. */
  #followPage(): void {
    addEventListener("pagehide", () => {
      const { engine } = this.socket.io;
      // A WebSocket ends with its page. Of one that polls the server would hear only in a minute:
      // say so, or a reload would find the reader still there, and the text at its pace anew.
      if (!this.socket.connected || engine.transport.name !== "polling") return;
      const session = `/socket.io/?EIO=4&transport=polling&sid=${engine.id}`;
      navigator.sendBeacon(new URL(session, server), "1"); // Engine.IO's "close"
    });
    addEventListener("pageshow", ({ persisted }) => {
      // From the back/forward cache: the socket has gone, though nobody may have told the page.
      if (persisted) this.cut();
    });
    addEventListener("offline", () => {
      if (!this.socket.connected) this.#showLost();
    });
    addEventListener("online", () => {
      this.#failures = 0;
      if (!this.socket.connected) this.#showLost();
    });
  }

  #showLost(): void {
    const words = !navigator.onLine
      ? "You are offline. Goes on by itself."
      : this.draining && this.#failures > 0
        ? "The server has gone down. Trying again…"
        : this.#failures > 1
          ? "The server is not there. Start it with “make run”."
          : "Connection lost. Trying again…";
    this.#show("lost", words);
  }

  #show(state: State, words: string): void {
    clearTimeout(this.#again);
    this.#words.dataset.state = state;
    // The same words again would be spoken again.
    if (this.#words.textContent !== words) this.#words.textContent = words;
    this.#cut.ariaDisabled = String(!this.socket.connected);
  }

  readonly #showTransport = (): void => {
    const { name } = this.socket.io.engine.transport;
    this.#detail.textContent = NAMES[name] ?? name;
  };
}
