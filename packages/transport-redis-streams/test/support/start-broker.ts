import { type RedisVersion, redis } from "@papa-events/conformance/brokers";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    redis: string;
    redisVersion: RedisVersion;
  }
}

/** One server for all test files of the project, whose name ends with the server's version. */
export default async function startBroker(project: TestProject): Promise<() => Promise<void>> {
  const version = project.name.split(" ").at(-1) as RedisVersion;
  const broker = await redis(version);
  project.provide("redis", broker.uri);
  project.provide("redisVersion", version);
  return () => broker.stop();
}
