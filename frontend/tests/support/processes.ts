import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");

/** The interpreter with the server's packages: TEXTSTREAM_PYTHON, or the one of `make setup`. */
const PYTHON = process.env.TEXTSTREAM_PYTHON ?? resolve(ROOT, ".venv/bin/python");

/** Whether the tests against the real server can run. In CI they must. */
export const hasServer = existsSync(PYTHON);
if (!hasServer && process.env.CI) throw new Error(`CI must have the server's Python: ${PYTHON}`);

export interface Running {
  /** Where it listens. */
  url: string;
  port: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A server on a free port, or on the one given. */
export function startServer(port = 0, ...flags: string[]): Promise<Running> {
  return start(
    ["stream_server.py", "--port", String(port), ...flags],
    /textstream is listening on (\S+)/,
  );
}

/** `textstream chaos`, in front of a server. */
export function startChaos(to: Running, ...flags: string[]): Promise<Running> {
  const args = ["-m", "textstream", "chaos", "--listen", "127.0.0.1:0"];
  return start(
    [...args, "--to", `127.0.0.1:${to.port}`, ...flags],
    /chaos listens on ([0-9.]+:[0-9]+)/,
  );
}

async function start(args: string[], listening: RegExp): Promise<Running> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("TEXTSTREAM_"));
  const child = spawn(PYTHON, args, {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), PYTHONUNBUFFERED: "1", TEXTSTREAM_DRAIN: "0" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((done) =>
    child.once("exit", () => {
      done();
    }),
  );
  const said: string[] = [];
  const address = await new Promise<string>((found, failed) => {
    createInterface(child.stderr).on("line", (line) => {
      said.push(line);
      const match = listening.exec(line)?.[1];
      if (match) found(match);
    });
    void ended.then(() => {
      failed(new Error(`it ended: ${said.join("\n")}`));
    });
  });
  const url = address.startsWith("http") ? address : `http://${address}`;
  return {
    url,
    port: Number(new URL(url).port),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      await ended;
    },
  };
}
