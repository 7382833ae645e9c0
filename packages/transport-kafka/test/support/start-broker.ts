import { type KafkaVersion, kafka } from "@papa-events/conformance/brokers";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    kafka: string;
    kafkaVersion: KafkaVersion;
  }
}

/** Starts one broker for all test files of a project. The project's name ends with the broker's version. */
export default async function startBroker(project: TestProject): Promise<() => Promise<void>> {
  const version = project.name.split(" ").at(-1) as KafkaVersion;
  const broker = await kafka(version);
  project.provide("kafka", broker.uri);
  project.provide("kafkaVersion", version);
  return () => broker.stop();
}
