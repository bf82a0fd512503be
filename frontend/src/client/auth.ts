/** What a client shows of who it is: the same for good, or asked for at each connection. */
import { StreamError } from "./errors.js";

/** What is sent at CONNECT: `{ token }`, and whatever else a server asks for. */
export type AuthFields = Record<string, unknown>;

/** The fields, or what gives them. That is asked at each connection, so that a token may be new. */
export type Auth = AuthFields | (() => AuthFields | Promise<AuthFields>);

export class Credentials {
  readonly #auth: Auth;
  #refused = false; // the last ones, since when none were accepted

  constructor(auth: Auth = {}) {
    this.#auth = auth;
  }

  /** What is known without asking; undefined: it has to be asked for. */
  get fixed(): AuthFields | undefined {
    return typeof this.#auth === "function" ? undefined : this.#auth;
  }

  /** Ask for what to show now. Rejects with `unauthorized` where there is nothing. */
  async ask(): Promise<AuthFields> {
    try {
      return typeof this.#auth === "function" ? await this.#auth() : this.#auth;
    } catch (error) {
      if (error instanceof StreamError) throw error;
      const said = error instanceof Error ? error.message : String(error);
      throw new StreamError("unauthorized", `auth gave nothing to show: ${said}`, {
        retryable: true,
        reason: "unavailable",
      });
    }
  }

  accepted(): void {
    this.#refused = false;
  }

  /** Whether the server will go on refusing, whatever is asked for: then somebody has to sign in. */
  isFinal(error: StreamError): boolean {
    if (error.code !== "unauthorized" || error.reason === "unavailable") return !error.retryable;
    const again = this.fixed === undefined && !this.#refused;
    this.#refused = true;
    return !again;
  }
}

/** Whether an error says that the token of a connection has expired: it is to be made anew. */
export function hasExpired({
  code,
  reason,
}: {
  code: string;
  reason?: string | undefined;
}): boolean {
  return code === "unauthorized" && reason === "expired";
}
