import { isPapaError } from "@papa-events/core";
import type { Finding } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { deadLetterQueue, earlierRegistryQueue, retryQueue } from "../wire/names.ts";
import { type QueueState, queueState } from "./queue-state.ts";
import type { RemovalOptions } from "./removal.ts";

/** The oldest version that gets security fixes. */
const OLDEST_MAINTAINED = { major: 4, minor: 0 };
/** A clock that is ahead of another by so much is wrong. */
const MAX_CLOCK_AHEAD_MS = 60_000;
/** Below so many channels an app with many use cases runs out of them. */
const FEW_CHANNELS = 256;

export interface DiagnosisOptions extends RemovalOptions {
  /** The connection that publishes. */
  readonly connection: ReconnectingConnection;
}

/**
 * Looks at all that AMQP shows. It shows neither policies nor limits nor the nodes of a cluster, so it says how to look at
 * those.
 */
export async function diagnose(options: DiagnosisOptions): Promise<readonly Finding[]> {
  const { registry, pauses } = options;
  const findings = [...findingsOfBroker(options.connection)];
  const records = await registry.list();
  findings.push(...findingsOfClocks(await registry.latest(), Date.now()));
  const useCases = [...new Set(records.map(({ useCase }) => useCase))].sort();
  if (useCases.length > 0) findings.push(...(await findingsOfExchange(options)));
  const paused = new Set(await pauses.list());
  for (const useCase of useCases) findings.push(...(await findingsOfUseCase(useCase, paused.has(useCase), options)));
  findings.push(...(await findingsOfRights(options)));
  findings.push(POLICIES);
  return findings;
}

const POLICIES: Finding = {
  severity: "info",
  what: "The broker's policies and limits cannot be seen over AMQP.",
  why: "A policy with message-ttl, expires, max-length with drop-head or a delivery-limit below 20 destroys events; a consumer_timeout below the longest handler hands them out twice; with one replica they are as safe as one disk.",
  remedy:
    "Look at them with: rabbitmqctl list_policies; rabbitmqctl environment; rabbitmq-queues quorum_status <queue>",
};

function* findingsOfBroker({ version, blocked, channelMax, isAtLeast }: BrokerState): Generator<Finding> {
  const { major, minor } = OLDEST_MAINTAINED;
  if (!isAtLeast(major, minor)) {
    yield {
      severity: "warning",
      what: `The broker is RabbitMQ ${version}, which gets no fixes any more.`,
      why: "The library supports it. Known faults of it, also of safety, stay as they are.",
      remedy: `Upgrade to RabbitMQ ${major}.${minor} or newer, one minor version after the other.`,
    };
  }
  if (blocked !== undefined) {
    yield {
      severity: "error",
      what: `The broker blocks publishers: ${blocked}.`,
      why: "It is short of memory or disk. Handlers go on as long as they need to store nothing; publishing waits and is refused.",
      remedy: "Have its queues drained, give it disk or memory, and see which: rabbitmq-diagnostics alarms",
    };
  }
  if (channelMax > 0 && channelMax < FEW_CHANNELS) {
    yield {
      severity: "warning",
      what: `The broker permits ${channelMax} channels a connection.`,
      why: "Each use case of an app takes one, and what is looked at takes some more.",
      remedy: "Set channel_max to 2047, its default, or leave it out of rabbitmq.conf.",
    };
  }
}

type BrokerState = Pick<ReconnectingConnection, "version" | "blocked" | "channelMax" | "isAtLeast">;

function* findingsOfClocks(latest: number | undefined, now: number): Generator<Finding> {
  if (latest === undefined || latest - now < MAX_CLOCK_AHEAD_MS) return;
  yield {
    severity: "warning",
    what: `The clock of a machine that runs an app is ${Math.round((latest - now) / 1_000)} s ahead of this one's.`,
    why: "Times in events and dead letters of the two do not agree. Retries do not depend on it.",
    remedy: "Have all machines keep time by NTP.",
  };
}

async function findingsOfExchange({ channels, names }: DiagnosisOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const exchange of [names.exchange, names.retryExchange, names.deadLetterExchange]) {
    if ((await channels.missingExchange([exchange])) === undefined) continue;
    findings.push({
      severity: "error",
      what: `The exchange "${exchange}" is missing.`,
      why: "Somebody has deleted it, and its bindings with it. Events reach no use case until it is made again.",
      remedy: "Restart an app of the namespace: it declares the exchange and binds every use case that is recorded.",
    });
  }
  return findings;
}

async function findingsOfUseCase(useCase: string, isPaused: boolean, options: DiagnosisOptions): Promise<Finding[]> {
  const { channels, names } = options;
  const queue = names.queue(useCase);
  const look = (name: string): Promise<QueueState | undefined> => queueState(channels, name);
  const [main, ring, dead, earlier] = await Promise.all([
    look(queue),
    look(retryQueue(queue)),
    look(deadLetterQueue(queue)),
    look(earlierRegistryQueue(queue)),
  ]);
  const findings: Finding[] = [];
  for (const [name, state] of [
    [queue, main],
    [deadLetterQueue(queue), dead],
  ] as const) {
    if (state !== undefined) continue;
    findings.push({
      severity: "error",
      what: `The queue "${name}" of the use case "${useCase}" is missing.`,
      why: "Somebody has deleted it. What should go there has nowhere to go until it is made again.",
      remedy: `Restart an app that declares the use case, or remove it: papa remove ${useCase}`,
    });
  }
  if (main !== undefined && main.consumers === 0 && main.ready > 0 && !isPaused) {
    findings.push({
      severity: "warning",
      what: `Nobody consumes the queue "${queue}", where ${main.ready} events wait.`,
      why: "No instance of the use case is connected, or the broker has ended its consumer.",
      remedy: "Start its service, and look at the health of the instances that run.",
    });
  }
  if (ring !== undefined && ring.ready > 0) {
    findings.push({
      severity: "info",
      what: `${ring.ready} messages wait in "${retryQueue(queue)}".`,
      why: "They are retries of a service in Python, or were put there by the broker because of an expiration or of a delivery-limit below the library's.",
      remedy: "Where no service in Python runs, look for such a policy: rabbitmqctl list_policies",
    });
  }
  if (earlier !== undefined) {
    findings.push({
      severity: "info",
      what: `The queue "${earlierRegistryQueue(queue)}" is left of an earlier version.`,
      why: "It kept the patterns of the use case; an app of this version takes them over.",
      remedy: "Nothing, if instances of the earlier version still run; else restart an app that declares the use case.",
    });
  }
  return findings;
}

/** Tries the rights that reading dead letters needs, with a queue that goes with its channel. */
async function findingsOfRights({ channels, names }: DiagnosisOptions): Promise<readonly Finding[]> {
  try {
    await channels.withChannel(async (channel) => {
      const probe = names.newTail();
      await channel.assertQueue(probe, { exclusive: true, durable: false, autoDelete: true });
      await channel.deleteQueue(probe);
    });
    return [];
  } catch (error) {
    if (!isPapaError(error, "access-refused")) throw error;
    return [
      {
        severity: "warning",
        what: "This account may make no queue of its own in the namespace.",
        why: "So it can watch no events, and looks at dead letters without keeping others from them: what two look at at once is shown to one of them.",
        remedy: "Give it the rights of an operator who reads, which the guide lists under Rights.",
      },
    ];
  }
}
