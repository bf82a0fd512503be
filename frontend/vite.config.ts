import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  // `npm run dev` serves the page with live reload and hands the rest to a running server.
  const server = loadEnv(mode, ".", "TEXTSTREAM_").TEXTSTREAM_URL ?? "http://127.0.0.1:5002";
  return {
    base: "./",
    build: {
      outDir: "../textstream/web/static",
      emptyOutDir: true,
      rolldownOptions: { input: "demo.html" },
      // No data: URLs and no inline script, so that the server may send a strict CSP.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // The notices of what is bundled travel with it.
      license: { fileName: "assets/licenses.md" },
    },
    server: {
      open: "/demo.html",
      proxy: {
        "/api": server,
        "/socket.io": { target: server, ws: true },
      },
    },
  };
});
