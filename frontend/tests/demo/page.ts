/** The demo page without its form, on a server in memory. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ClientOptions, StreamClient } from "../../src/client/index.js";
import { ConnectionBadge } from "../../src/demo/badge";
import { Notice } from "../../src/demo/notice";
import { Player } from "../../src/demo/player";
import { Screen } from "../../src/demo/screen";
import type { ManualClock } from "../support/clock.js";
import { FakeServer, fakeClient } from "../support/fake.js";

const HTML = await readFile(resolve(import.meta.dirname, "../../demo.html"), "utf-8");
/** Without its head, of which the styles and the script would be loaded. */
const BODY = /<body[^]*<\/body>/.exec(HTML)?.[0] ?? "";

export class DemoPage {
  readonly server: FakeServer;
  readonly client: StreamClient;
  readonly clock: ManualClock;
  readonly player: Player;
  /** How often it was connected. */
  connections = 0;

  private constructor(server: FakeServer, client: StreamClient, clock: ManualClock) {
    this.server = server;
    this.client = client;
    this.clock = clock;
    const notice = new Notice(() => {
      this.player.again();
    });
    const running = (): boolean => this.player.running;
    const badge = new ConnectionBadge(client, running, () => (this.connections += 1));
    this.player = new Player(client, badge, new Screen(), notice);
  }

  /** Load the page, and connect it unless the server does not accept. */
  static async load(server = new FakeServer(), options: ClientOptions = {}): Promise<DemoPage> {
    const { body } = new DOMParser().parseFromString(BODY, "text/html");
    document.body.replaceChildren(...body.childNodes);
    const { accepting } = server;
    server.accepting = "silent"; // until the page is there to hear of it
    const { client, clock } = await fakeClient(server, { giveUpAfter: Infinity, ...options });
    const page = new DemoPage(server, client, clock);
    server.accepting = accepting;
    if (accepting === true) server.wire.open();
    return page;
  }

  /** The page goes, and comes again. */
  async reload(): Promise<DemoPage> {
    const { kept } = this;
    this.client.close();
    // A page that goes has no time to keep what becomes of its streams.
    this.kept = kept;
    return DemoPage.load(this.server);
  }

  /** What the session's storage has of the page's stream. */
  get kept(): string | null {
    return sessionStorage.getItem(this.#key);
  }

  set kept(record: string | null) {
    if (record !== null) sessionStorage.setItem(this.#key, record);
  }

  get #key(): string {
    return `textstream demo ${this.client.url}`;
  }

  /** Lose the connection, and wait for the next. */
  async reconnect(): Promise<void> {
    this.server.wire.lose();
    await this.clock.advance(10_000);
  }

  /** What the page says, by the id of the element. */
  says(id: "state" | "connection" | "detail" | "error" | "resumes" | "count"): string {
    return document.getElementById(id)?.textContent ?? "";
  }

  /** The text that is shown, gaps included. */
  get text(): string {
    return document.getElementById("output")?.textContent ?? "";
  }

  /** Whether starting again is offered. */
  get offersAgain(): boolean {
    return document.getElementById("again")?.hidden === false;
  }
}
