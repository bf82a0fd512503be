import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    // Those over real sockets, on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
