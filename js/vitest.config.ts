import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // No test is about time; a busy machine takes long.
    testTimeout: 60_000,
    unstubGlobals: true,
    // A warning on the console is something that a person would see in the browser's.
    onConsoleLog: (log) => {
      throw new Error(`unexpected output: ${log}`);
    },
  },
});
