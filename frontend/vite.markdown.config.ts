import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The page on which the tests try the Markdown renderer alone. It is not shipped. */
export default defineConfig({
  root: "tests/markdown/page",
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../../../dist/markdown",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
  },
});
