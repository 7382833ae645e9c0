import { type RabbitMqVersion, rabbitmq } from "@papa-events/conformance/brokers";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    rabbitmq: string;
    /** Whether this run started it, so that it has the accounts that tests need. */
    ownRabbitmq: boolean;
  }
}

/** Starts one broker for all test files of the project, whose name ends with the broker's version. */
export default async function startBroker(project: TestProject): Promise<() => Promise<void>> {
  const broker = await rabbitmq(project.name.split(" ").at(-1) as RabbitMqVersion);
  project.provide("rabbitmq", broker.uri);
  project.provide("ownRabbitmq", broker.own);
  return () => broker.stop();
}
