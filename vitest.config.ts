import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { testedVersions } from "./conformance/src/brokers/versions.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Packages stand for their sources, so that tests need no build and errors show the line that was written. */
const alias = [
  { find: /^@papa-events\/core$/, replacement: at("packages/core/src/index.ts") },
  { find: /^@papa-events\/core\/(decorators|operator)$/, replacement: at("packages/core/src/$1/index.ts") },
  { find: /^@papa-events\/core\/(transport|uri)$/, replacement: at("packages/core/src/$1.ts") },
  { find: /^@papa-events\/transport-memory$/, replacement: at("packages/transport-memory/src/index.ts") },
  { find: /^@papa-events\/conformance$/, replacement: at("conformance/src/index.ts") },
  { find: /^@papa-events\/conformance\/brokers$/, replacement: at("conformance/src/brokers/index.ts") },
  { find: /^@papa-events\/transport-kafka$/, replacement: at("packages/transport-kafka/src/index.ts") },
  { find: /^@papa-events\/transport-amqp$/, replacement: at("packages/transport-amqp/src/index.ts") },
  {
    find: /^@papa-events\/transport-redis-streams$/,
    replacement: at("packages/transport-redis-streams/src/index.ts"),
  },
];

/** A transport's run of the conformance suite: it kills its broker, so it has one of its own. */
const ONLY_WITH_THE_SUITE = "packages/*/test/conformance.test.ts";

/** Transports that the examples write, held to the same suite. */
const TRANSPORTS_OF_EXAMPLES = "examples/test/transports/**/*.test.ts";

const fromSources = (name: string) => ({
  resolve: { alias },
  test: { name, include: [`packages/${name}/test/**/*.test.ts`], exclude: [ONLY_WITH_THE_SUITE] },
});

/**
 * A transport's own tests, on one broker for all of them.
 *
 * @param together how it runs beside others: tests that wait for their broker most of the time run more at once, after the rest
 */
const onBroker = (transport: string, version: string, together: object = {}) => {
  const { resolve, test } = fromSources(transport);
  const globalSetup = at(`packages/${transport}/test/support/start-broker.ts`);
  return { resolve, test: { ...test, ...together, name: `${transport} ${version}`, globalSetup } };
};

/** These take a fifth of the processor's time that two workers could, those of Kafka half of it. */
const RABBITMQ = { maxWorkers: 4, sequence: { groupOrder: 1 } };
const REDIS = { maxWorkers: 6, sequence: { groupOrder: 2 } };

export default defineConfig({
  test: {
    reporters: ["default", "./conformance/src/report/reporter.ts"],
    // Generous: the machines that run this may be busy, and a test that hangs is told by its name all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests of the conformance suite wait for brokers more than they work.
    maxConcurrency: 16,
    // They wait for brokers most of the time.
    maxWorkers: 2,
    projects: [
      fromSources("core"),
      fromSources("transport-memory"),
      {
        resolve: { alias },
        test: {
          name: "conformance",
          include: ["conformance/test/**/*.test.ts", ONLY_WITH_THE_SUITE, TRANSPORTS_OF_EXAMPLES],
        },
      },
      fromSources("cli"),
      { resolve: { alias }, test: { name: "simulation", include: ["simulation/test/**/*.test.ts"] } },
      ...testedVersions.rabbitmq.map((version) => onBroker("transport-amqp", version, RABBITMQ)),
      ...testedVersions.redis.map((version) => onBroker("transport-redis-streams", version, REDIS)),
      ...testedVersions.kafka.map((version) => onBroker("transport-kafka", version)),
      // These run built packages as a user would, in processes of their own.
      { test: { name: "examples", include: ["examples/test/**/*.test.ts"], exclude: [TRANSPORTS_OF_EXAMPLES] } },
      { test: { name: "repository", include: ["scripts/test/**/*.test.ts"] } },
    ],
  },
});
