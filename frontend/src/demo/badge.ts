import type { ConnectionSnapshot, ConnectionState, StreamClient } from "../client";
import { find } from "./find";
import { refusedBecause } from "./words";

const AGAIN_MS = 6000; // for how long the page says that it is connected again
const NAMES: Record<string, string> = { websocket: "WebSocket", polling: "polling" };

/** What the page says of its connection, and the button that cuts it. */
export class ConnectionBadge {
  /** Whether a server has said that it goes down, and no stream was resumed since. */
  restarting = false;

  readonly #client: StreamClient;
  readonly #running: () => boolean;
  readonly #onOpen: () => void;
  readonly #link = find("link", HTMLElement);
  readonly #words = find("connection", HTMLElement);
  readonly #detail = find("detail", HTMLElement);
  readonly #cut = find("cut", HTMLButtonElement);
  #before: ConnectionSnapshot;
  #draining = false; // the server at the other end, or the one that was there last
  #failures = 1; // tries to connect that failed in a row; the first one ever is told at once
  #retries = 0; // since the connection was lost
  #lost = false; // the connection, since a stream was last resumed
  #again: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param running says whether a text is on its way
   * @param onOpen is called whenever there is a new connection
   */
  constructor(client: StreamClient, running: () => boolean, onOpen: () => void) {
    this.#client = client;
    this.#running = running;
    this.#onOpen = onOpen;
    this.#before = client.connection;
    client.subscribe(() => {
      this.#follow(client.connection);
    });
    this.#cut.addEventListener("click", () => {
      client.dropConnection();
    });
    addEventListener("offline", () => {
      if (!this.connected) this.#showLost();
    });
    addEventListener("online", () => {
      this.#failures = 0;
      if (!this.connected) this.#showLost();
    });
  }

  get connected(): boolean {
    return isOpen(this.#client.state);
  }

  /** Say that a stream goes on, if the connection was lost. After a reload it was not. */
  resumed(): void {
    this.restarting = this.#draining;
    if (!this.#lost) return;
    this.#lost = false;
    if (this.#draining) return;
    this.#show("connected", "Connected again. Nothing was lost.");
    this.#again = setTimeout(() => {
      this.#show("connected", "Connected");
    }, AGAIN_MS);
  }

  #follow(now: ConnectionSnapshot): void {
    const before = this.#before;
    this.#before = now;
    const [open, was] = [isOpen(now.state), isOpen(before.state)];
    if (open && !was) this.#opened();
    if (now.state === "draining" && before.state !== "draining") this.#goesDown();
    if (was && !open) this.#gone();
    if (open) this.#detail.textContent = over(now.transport);
    else if (!was) this.#tried(before, now);
  }

  #opened(): void {
    this.#failures = this.#retries = 0;
    this.#draining = false;
    if (!this.#running()) this.restarting = this.#lost = false;
    if (this.#client.state === "connected") this.#show("connected", "Connected");
    this.#onOpen();
  }

  #goesDown(): void {
    this.restarting = this.#draining = true;
    this.#show("draining", "The server is going down.");
  }

  #gone(): void {
    this.#lost = true;
    this.#detail.textContent = "";
    this.#showLost();
  }

  /** Something has changed while there is no connection. */
  #tried(before: ConnectionSnapshot, now: ConnectionSnapshot): void {
    if (now.nextTryAt === undefined && before.nextTryAt !== undefined) {
      this.#retries += 1;
      this.#detail.textContent = `attempt ${this.#retries}`;
    }
    const failed = now.nextTryAt !== undefined && before.nextTryAt === undefined;
    if (failed) this.#failures += 1;
    if (failed || now.error !== before.error) this.#showLost();
  }

  #showLost(): void {
    const { error } = this.#client.connection;
    const words = !navigator.onLine
      ? "You are offline. Goes on by itself."
      : error && error.code !== "unreachable"
        ? refusedBecause(error)
        : this.#draining && this.#failures > 0
          ? "The server has gone down. Trying again…"
          : this.#failures > 1
            ? "The server is not there. Start it with “make run”."
            : "Connection lost. Trying again…";
    this.#show("reconnecting", words);
  }

  #show(state: ConnectionState, words: string): void {
    clearTimeout(this.#again);
    this.#link.dataset.state = state;
    // The same words again would be spoken again.
    if (this.#words.textContent !== words) this.#words.textContent = words;
    this.#cut.ariaDisabled = String(!this.connected);
  }
}

function isOpen(state: ConnectionState): boolean {
  return state === "connected" || state === "draining";
}

function over(transport: string | undefined): string {
  return transport === undefined ? "" : (NAMES[transport] ?? transport);
}
