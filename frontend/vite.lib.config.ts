import { defineConfig } from "vite";

/** The client library as ES modules; `npm run build:lib` adds the types. */
export default defineConfig({
  build: {
    outDir: "dist/lib",
    emptyOutDir: true,
    sourcemap: true,
    minify: false, // Whoever bundles it minifies it; others may want to read it.
    lib: {
      entry: { "client/index": "src/client/index.ts", "react/index": "src/react/index.ts" },
      formats: ["es"],
    },
    rolldownOptions: { external: ["react", "socket.io-client"] },
  },
});
