import type { Broker, BrokerProxy } from "../../brokers/index.ts";
import type { Access } from "../workers/access.ts";

/** A broker that faults are counted on. */
export interface Target {
  readonly kind: "rabbitmq" | "redis" | "kafka";
  readonly start: () => Promise<Broker>;
  /** How programs reach a namespace of it, by way of the proxy if there is one. */
  readonly access: (broker: Broker, namespace: string, proxy?: BrokerProxy) => Access;
  /** What makes a connection that nobody answers on count as lost within a few seconds, for the URL's query. */
  readonly alert: string;
  /** How long what was declared has to stand before the broker may be killed, in milliseconds. */
  readonly beforeKill: number;
  /** The share of events that a plain rolling deployment may repeat; none unless set. */
  readonly repeatedByRolling?: number;
  /** How many instances of a use case it can share events among at most; any number unless set. */
  readonly mostInstances?: number;
  /** Whether it is several brokers, each of which can be killed. */
  readonly clustered?: boolean;
  /** What was confirmed so long before a node is lost may be lost too, as documented, in milliseconds; nothing unless set. */
  readonly losesWithNode?: number;
  /** What an operator can do to it. */
  readonly operator: Operator;
}

/** What is done to a broker from outside. */
export interface Operator {
  /** Has it take no more events; resolves to what ends that. Absent where it always takes them. */
  readonly fill?: (broker: Broker, namespace: string) => Promise<() => Promise<void>>;
  /** What full means there, in words. */
  readonly full?: string;
  /** Until it is restarted, has it answer nothing that a kill could lose; absent where it never does. */
  readonly strict?: (broker: Broker) => Promise<void>;
  /** What that takes, in words. */
  readonly strictly?: string;
  /** Things of a namespace that an operator might delete, by name, and how. */
  readonly objects: (broker: Broker, namespace: string) => Readonly<Record<string, () => Promise<unknown>>>;
  /** Whether every node has what a fault takes: complete replicas, say. Of one broker it is always so. */
  readonly isWhole: (broker: Broker) => Promise<boolean>;
}
