import { type RabbitMqVersion, rabbitmq } from "@papa-events/conformance/brokers";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    rabbitmq: string;
    /** Whether this run started it, so that it has the accounts that tests need. */
    ownRabbitmq: boolean;
    /** Where its data are on this machine, if this run started it here; else nobody can make accounts on it. */
    rabbitmqFolder: string;
  }
}

/** Starts one broker for all test files of the project, whose name ends with the broker's version. */
export default async function startBroker(project: TestProject): Promise<() => Promise<void>> {
  const broker = await rabbitmq(project.name.split(" ").at(-1) as RabbitMqVersion);
  project.provide("rabbitmq", broker.uri);
  project.provide("ownRabbitmq", broker.own);
  project.provide("rabbitmqFolder", broker.folder ?? "");
  return () => broker.stop();
}
