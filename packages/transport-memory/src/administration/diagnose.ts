import type { Finding } from "@papa-events/core/transport";
import type { Queue } from "../consuming/queue.ts";

/** From how many dead letters on somebody has forgotten to look. */
const MANY_DEAD_LETTERS = 1_000;

/** What an operator may want to know of a broker in memory. */
export function diagnose(queues: Iterable<Queue>, paused: ReadonlySet<string>): readonly Finding[] {
  const findings: Finding[] = [
    {
      severity: "info",
      what: "the broker is in the memory of this process",
      why: "All events, waiting retries and dead letters are gone when the process ends.",
      remedy: "Use a broker of its own in production: RabbitMQ, Kafka or Redis.",
    },
  ];
  for (const queue of queues) findings.push(...findingsOf(queue, paused.has(queue.useCase)));
  return findings;
}

function* findingsOf(queue: Queue, paused: boolean): Generator<Finding> {
  const { useCase } = queue;
  const { ready, dead } = queue.stats;
  if (ready > 0 && !queue.isConsumed && !paused)
    yield {
      severity: "warning",
      what: `use case "${useCase}": no app handles its ${ready} ready events`,
      why: "They wait until an app that declares it runs, and take more and more memory.",
      remedy: `Start its app, or remove it: papa remove ${useCase}`,
    };
  if (queue.suspects > 0)
    yield {
      severity: "warning",
      what: `use case "${useCase}": ${queue.suspects} of its events came back more than once from apps that died`,
      why: "One of them may end its process each time it is handled; after crashLimit such deaths it is a dead letter.",
      remedy: "Look at the log of the app that handles it.",
    };
  if (dead >= MANY_DEAD_LETTERS)
    yield {
      severity: "warning",
      what: `use case "${useCase}": ${dead} dead letters`,
      why: "They never expire, and take memory until somebody acts.",
      remedy: `papa dlq summary ${useCase}, then redrive or purge them`,
    };
}
