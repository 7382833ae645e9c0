import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Packages stand for their sources, so that tests need no build and errors show the line that was written. */
const alias = [
  { find: /^@papa-events\/core$/, replacement: at("packages/core/src/index.ts") },
  { find: /^@papa-events\/core\/(decorators|transport)$/, replacement: at("packages/core/src/$1/index.ts") },
  { find: /^@papa-events\/core\/uri$/, replacement: at("packages/core/src/uri.ts") },
  { find: /^@papa-events\/transport-memory$/, replacement: at("packages/transport-memory/src/index.ts") },
  { find: /^@papa-events\/transport-amqp$/, replacement: at("packages/transport-amqp/src/index.ts") },
];

const fromSources = (name: string) => ({
  resolve: { alias },
  test: { name, include: [`packages/${name}/test/**/*.test.ts`] },
});

export default defineConfig({
  test: {
    // Generous: the machines that run this may be busy, and a test that hangs is told by its name all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      fromSources("core"),
      fromSources("transport-memory"),
      fromSources("transport-amqp"),
      // These run built packages as a user would, in processes of their own.
      { test: { name: "examples", include: ["examples/test/**/*.test.ts"] } },
      { test: { name: "repository", include: ["scripts/test/**/*.test.ts"] } },
    ],
  },
});
