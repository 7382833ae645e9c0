import type { Finding } from "@papa-events/core/transport";
import type { Queue } from "../consuming/queue.ts";

const IN_MEMORY: Finding = {
  severity: "info",
  what: "The broker is in the memory of this process.",
  why: "Its events, waiting retries, dead letters and pauses are gone when the process ends.",
  remedy: "Use a broker of its own in production: RabbitMQ, Kafka or Redis.",
};

/** What there is to say of a broker in memory, beyond what the core says of any. */
export function diagnose(queues: Iterable<Queue>): readonly Finding[] {
  return [IN_MEMORY, ...[...queues].flatMap((queue) => suspectsOf(queue))];
}

function suspectsOf({ useCase, suspects }: Queue): readonly Finding[] {
  if (suspects === 0) return [];
  return [
    {
      severity: "warning",
      what: `The use case "${useCase}" has ${suspects} events that came back more than once from apps that died.`,
      why: "One of them may end its process each time it is handled; after crashLimit such deaths it is a dead letter.",
      remedy: "Look at the log of the app that handles it.",
    },
  ];
}
