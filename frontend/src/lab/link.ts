import { io, type Socket } from "socket.io-client";
import { checkedUrl, socketIoPath } from "../client";
import { Listeners } from "../shared/listeners";
import { BEGINNING, withEntry, withRoundTrip, type Facts, type LabState } from "./state";

export type Transports = readonly ("websocket" | "polling")[];

const PING_MS = 1000;
/** What the server sends by itself. */
const BY_ITSELF = "Server generated event";

/** The page's connections to both namespaces, and what has passed over them. */
export class LabLink {
  /** Its checked address. */
  readonly server: string;
  readonly #listeners = new Listeners();
  #state = BEGINNING;
  #test: Socket | undefined;
  #work: Socket | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  /** When the ping was sent that has not come back yet. */
  #pinged: number | undefined;

  /** Throws `invalid_request` when `server` is no address. */
  constructor(server: string) {
    this.server = checkedUrl(server);
  }

  readonly subscribe = this.#listeners.add;
  readonly state = (): LabState => this.#state;

  /** Connect anew, over these transports. */
  open(transports: Transports): void {
    this.close();
    this.#change({ ...BEGINNING, entries: this.#state.entries });
    // Of its own: a connection that is shared would keep the transports that it began with.
    const path = socketIoPath(this.server);
    const options = { transports: [...transports], path, forceNew: true };
    const { origin } = new URL(this.server);
    const test = (this.#test = io(`${origin}/test`, options));
    const work = (this.#work = io(`${origin}/testnamespace`, options));
    test.on("connect", () => {
      this.#connected(test);
    });
    test.on("disconnect", (reason) => {
      this.#stopPinging();
      this.#log(false, "disconnect", [reason]);
      this.#change({ status: "disconnected", transport: undefined, facts: undefined });
    });
    test.on("connect_error", (error) => {
      this.#log(false, "connect_error", [error.message]);
      void this.#explain();
    });
    test.on("my_response", (said: { data?: unknown; count?: unknown }, acknowledge: unknown) => {
      if (said.data === BY_ITSELF && typeof said.count === "number")
        this.#change({ counter: said.count });
      if (typeof acknowledge === "function") (acknowledge as () => void)();
    });
    test.on("my_pong", () => {
      if (this.#pinged === undefined) return;
      this.#change(withRoundTrip(this.#state, performance.now() - this.#pinged));
      this.#pinged = undefined;
    });
    for (const socket of [test, work])
      socket.onAny((event: string, ...values: unknown[]) => {
        if (event !== "my_pong") this.#log(false, event, values);
      });
  }

  close(): void {
    this.#stopPinging();
    for (const socket of [this.#test, this.#work]) {
      socket?.removeAllListeners();
      socket?.close();
    }
  }

  /** Send an event in `/test`, and log it with its acknowledgement. */
  send(event: string, ...values: unknown[]): void {
    this.#send(this.#test, event, values);
  }

  /** Ask in `/testnamespace`. */
  request(param: string): void {
    this.#send(this.#work, "request_for_response", [{ param }]);
  }

  clear(): void {
    this.#change({ entries: [] });
  }

  #send(socket: Socket | undefined, event: string, values: unknown[]): void {
    this.#log(true, event, values);
    socket?.emit(event, ...values, (...answer: unknown[]) => {
      this.#log(false, `${event} ✓`, answer);
    });
  }

  #connected(test: Socket): void {
    const { engine } = test.io;
    this.#change({ status: "connected", transport: engine.transport.name });
    engine.on("upgrade", ({ name }: { name: string }) => {
      this.#change({ transport: name });
      this.#askFacts(test);
    });
    this.#askFacts(test);
    this.#ping = setInterval(() => {
      this.#measure(test);
    }, PING_MS);
    this.#measure(test);
  }

  #askFacts(test: Socket): void {
    test.emit("my_connection", (facts: Facts) => {
      this.#change({ facts });
    });
  }

  /** One at a time: of several the first pong could be anybody's. */
  #measure(test: Socket): void {
    // A hidden page is woken late: that is not the network's doing.
    if (document.hidden || this.#pinged !== undefined) return;
    this.#pinged = performance.now();
    test.emit("my_ping");
  }

  #stopPinging(): void {
    clearInterval(this.#ping);
    this.#pinged = undefined;
  }

  /** Socket.IO hides why it failed; the server tells it to pages of any origin. */
  async #explain(): Promise<void> {
    let status: LabState["status"] = "absent";
    try {
      const answer = await fetch(`${this.server}/api/connection`);
      const { allowed, lab } = (await answer.json()) as { allowed: boolean; lab: boolean };
      if (!allowed) status = "refused";
      else if (!lab) status = "off";
      else status = "disconnected";
    } catch {
      // Nothing answers.
    }
    if (this.#state.status !== "connected") this.#change({ status });
  }

  #log(sent: boolean, event: string, values: unknown[]): void {
    // An acknowledgement that the server asks for is a function, and no data.
    const data = values
      .filter((value) => typeof value !== "function")
      .map((value) => JSON.stringify(value))
      .join(", ");
    this.#change(withEntry(this.#state, { at: Date.now(), sent, event, data }));
  }

  #change(change: Partial<LabState>): void {
    this.#state = { ...this.#state, ...change };
    this.#listeners.call();
  }
}
