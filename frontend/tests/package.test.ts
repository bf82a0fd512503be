/** The library as others get it: built, packed, installed, type-checked, and its README run. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasServer, startChaos, startServer } from "./support/processes.js";

const run = promisify(execFile);
const FRONTEND = resolve(import.meta.dirname, "..");
const INSTALLED = ["socket.io-client", "react", "@types/react", "csstype"];

let project: string;
let example: string;
let reactExample: string;

async function lines(language: string): Promise<string> {
  const readme = await readFile(join(FRONTEND, "src/client/README.md"), "utf-8");
  const found = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)?.[1];
  if (found === undefined) throw new Error(`the README has no ${language}`);
  return found;
}

/** Build and pack the library, and install it in a project of its own. */
async function install(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "textstream-client-"));
  const modules = join(folder, "node_modules");
  await run("npm", ["run", "build:lib"], { cwd: FRONTEND });
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: FRONTEND });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
  await mkdir(join(modules, "textstream-client"), { recursive: true });
  const into = ["-C", join(modules, "textstream-client"), "--strip-components=1"];
  await run("tar", ["-xzf", join(folder, tarball), ...into]);
  await mkdir(join(modules, "@types"));
  // What npm would install from the registry.
  for (const name of INSTALLED)
    await symlink(join(FRONTEND, "node_modules", name), join(modules, name));
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
  return folder;
}

beforeAll(async () => {
  project = await install();
  example = await lines("ts");
  reactExample = await lines("tsx");
});

afterAll(() => rm(project, { recursive: true }));

test("the package has the library, and nothing else", async () => {
  const files = await readdir(join(project, "node_modules/textstream-client"), { recursive: true });
  expect(files).toContain("dist/lib/client/index.js");
  expect(files).toContain("dist/lib/client/index.d.ts");
  expect(files).toContain("dist/lib/react/index.js");
  expect(files.filter((name) => !name.startsWith("dist")).sort()).toEqual(["package.json"]);
});

test("it asks for socket.io-client alone", async () => {
  const folder = join(project, "node_modules/textstream-client/dist/lib");
  const imports = new Set<string>();
  for (const name of await readdir(folder, { recursive: true }))
    if (name.endsWith(".js"))
      for (const [, from] of (await readFile(join(folder, name), "utf-8")).matchAll(
        /from "([^."][^"]*)"/g,
      ))
        if (from) imports.add(from);
  expect([...imports].sort()).toEqual(["react", "socket.io-client"]);
});

test.each(["nodenext", "bundler"])(
  "the README's examples have the right types (%s)",
  async (resolution) => {
    await writeFile(join(project, "example.ts"), example);
    const body = reactExample.split("\n\n");
    await writeFile(
      join(project, "react.tsx"),
      `${body[0] ?? ""}\nexport function Page() {\n${body[1] ?? ""}\n` +
        "return [connection?.state, text, state, error, start, stop];\n}\n",
    );
    const module = resolution === "bundler" ? "esnext" : resolution;
    // Not what TypeScript itself declares: of that it is the half.
    const flags = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"];
    flags.push("--skipDefaultLibCheck");
    const types = ["--types", "react", "--module", module, "--moduleResolution", resolution];
    const tsc = join(FRONTEND, "node_modules/typescript/bin/tsc");
    const options = { cwd: project };
    const done = await run(
      "node",
      [tsc, ...flags, ...types, "example.ts", "react.tsx"],
      options,
    ).catch((error: unknown) => error as { stdout: string });
    expect(done.stdout).toBe("");
  },
);

describe.runIf(hasServer)("with the real server", () => {
  test("the README's twenty lines stream, drop, resume and end exact", async () => {
    expect(example.trim().split("\n").length).toBeLessThanOrEqual(22);
    const server = await startServer();
    const chaos = await startChaos(
      server,
      "--cut-every",
      "2000-5000",
      "--seed",
      "3",
      "--max-cuts",
      "10",
    );
    const { outputText } = ts.transpileModule(example, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    expect(outputText).toContain("http://127.0.0.1:5002");
    const script = outputText.replace("http://127.0.0.1:5002", chaos.url);
    await writeFile(join(project, "example.mjs"), script);
    const { stdout, stderr } = await run("node", ["example.mjs"], { cwd: project });
    const text = /text = "(.*)"/.exec(example)?.[1] ?? "";
    const seen = JSON.parse(stdout) as { shown: string; resumes: number };
    expect(seen).toMatchObject({ shown: text.repeat(5), reason: "completed", verified: true });
    expect(seen.resumes).toBeGreaterThanOrEqual(1);
    expect(stderr).toMatch(/^connected\nreconnecting\nconnected\n/);
    await chaos.stop("SIGINT");
    await server.stop();
  });
});
