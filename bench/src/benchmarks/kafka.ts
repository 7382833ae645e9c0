import { kafka } from "@papa-events/transport-kafka";
import { brokerBenchmarks } from "../broker-benchmarks.ts";
import { onlyAnId, sameEnvelope } from "../kafka/batches.ts";
import { kafkajs } from "../kafka/kafkajs.ts";
import { moleculer } from "../kafka/moleculer.ts";
import { nest } from "../kafka/nest.ts";
import { papaOnPlatformatic } from "../kafka/papa-platformatic.ts";
import { platformatic } from "../kafka/platformatic.ts";
import { papaEvents } from "../papa-client.ts";

export const kafkaBenchmarks = brokerBenchmarks({
  kind: "kafka",
  title: "Kafka 4.1",
  broker: "kafka",
  contenders: [
    kafkajs("kafkajs, tuned", sameEnvelope),
    kafkajs("kafkajs, tuned, no headers", onlyAnId),
    papaEvents(kafka),
    papaOnPlatformatic,
    platformatic,
    nest,
    moleculer,
  ],
});
