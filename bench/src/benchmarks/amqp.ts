import { amqp } from "@papa-events/transport-amqp";
import { amqplib, onlyAnId, sameEnvelope } from "../amqp/amqplib.ts";
import { golevelup } from "../amqp/golevelup.ts";
import { nest } from "../amqp/nest.ts";
import { rascal } from "../amqp/rascal.ts";
import { brokerBenchmarks } from "../broker-benchmarks.ts";
import { papaEvents } from "../papa-client.ts";

export const amqpBenchmarks = brokerBenchmarks({
  kind: "amqp",
  title: "RabbitMQ 4.0",
  broker: "rabbitmq",
  contenders: [
    amqplib("amqplib, tuned", sameEnvelope),
    amqplib("amqplib, tuned, no headers", onlyAnId),
    papaEvents(amqp),
    golevelup,
    nest,
    rascal,
  ],
});
