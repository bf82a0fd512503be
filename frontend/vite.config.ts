import { readdir, readFile } from "node:fs/promises";

import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv, type Plugin } from "vite";

/**
 * What the app may do, even if a text got something into its page. Not while it is developed: hot
 * reload needs inline script. In the page, not from the server only: the app runs on any host.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  // The server may be any: the build, the address or the reader names it.
  "connect-src 'self' http: https: ws: wss:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

function policy(): Plugin {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: (_, { path }) => {
      if (!path.startsWith("/app/")) return [];
      const attrs = { "http-equiv": "Content-Security-Policy", content: POLICY };
      // First of all: it holds for what comes after it.
      return [{ tag: "meta", attrs, injectTo: "head-prepend" }];
    },
  };
}

/** Socket.IO's own client, for the server to serve as `/socket.io/socket.io.js`. */
function clientFiles(): Plugin {
  const folder = new URL("./node_modules/socket.io-client/dist/", import.meta.url);
  return {
    name: "client-files",
    apply: "build",
    async generateBundle() {
      for (const name of await readdir(folder)) {
        const source = await readFile(new URL(name, folder));
        this.emitFile({ type: "asset", fileName: `socket.io/${name}`, source });
      }
    },
  };
}

export default defineConfig(({ mode }) => {
  // The development server shows the pages with hot reload and hands the rest to a running server.
  const server =
    process.env.TEXTSTREAM_URL ??
    loadEnv(mode, ".", "TEXTSTREAM_").TEXTSTREAM_URL ??
    "http://127.0.0.1:5002";
  return {
    plugins: [react(), policy(), clientFiles()],
    base: "./",
    build: {
      outDir: "../textstream/web/static",
      emptyOutDir: true,
      rolldownOptions: { input: ["demo.html", "app/index.html", "lab/index.html"] },
      // No data: URLs and no inline script, so that the server may send a strict CSP.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // The notices of what is bundled travel with it.
      license: { fileName: "assets/licenses.md" },
    },
    server: {
      open: "/app/index.html",
      port: 5173,
      proxy: {
        "/api": server,
        "/healthz": server,
        "/socket.io": { target: server, ws: true },
      },
    },
  };
});
